// How figures grow with the mesh: lines over two logarithmic axes, as SVG that reads on light and dark pages.

export interface Line {
  readonly name: string;
  /** Both above 0; others are left out. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

const WIDTH = 860;
const HEIGHT = 420;
const [LEFT, RIGHT, TOP, BOTTOM] = [60, 210, 50, 50];
const COLOURS = ['#1f6feb', '#d29922', '#2da44e', '#8250df', '#bf3989', '#57606a', '#0a7ea4'];

export function growthPlot(title: string, xTitle: string, given: readonly Line[]): string {
  const isShown = ([x, y]: readonly [number, number]): boolean => x > 0 && y > 0 && Number.isFinite(y);
  const lines = given.map(({ name, points }) => ({ name, points: points.filter(isShown) }));
  const all = lines.flatMap(({ points }) => points);
  const xs = decades(all.map(([x]) => x));
  const ys = decades(all.map(([, y]) => y));
  const at = (value: number, [from, to]: readonly [number, number], start: number, end: number): number =>
    start + ((Math.log10(value) - from) / (to - from)) * (end - start);
  const x = (value: number): number => at(value, xs, LEFT, WIDTH - RIGHT);
  const y = (value: number): number => at(value, ys, HEIGHT - BOTTOM, TOP);
  const parts = [text(20, 26, title, 'font-size="16" font-weight="600"')];
  for (const value of powers(xs)) {
    parts.push(
      rule(x(value), TOP, x(value), HEIGHT - BOTTOM),
      text(x(value), HEIGHT - BOTTOM + 18, label(value), MIDDLE),
    );
  }
  for (const value of powers(ys)) {
    parts.push(rule(LEFT, y(value), WIDTH - RIGHT, y(value)), text(LEFT - 8, y(value) + 4, label(value), END));
  }
  parts.push(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, xTitle, MIDDLE));
  lines.forEach(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? '';
    const path = points.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${x(px).toFixed(1)} ${y(py).toFixed(1)}`).join('');
    parts.push(`<path d="${path}" stroke="${colour}" stroke-width="2" fill="none"/>`);
    for (const [px, py] of points) {
      parts.push(`<circle cx="${x(px).toFixed(1)}" cy="${y(py).toFixed(1)}" r="3" fill="${colour}"/>`);
    }
    const place = TOP + 10 + index * 20;
    parts.push(rule(WIDTH - RIGHT + 16, place, WIDTH - RIGHT + 36, place, colour, 3));
    parts.push(text(WIDTH - RIGHT + 42, place + 4, name));
  });
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"`;
  const style = 'font-family="system-ui, sans-serif" font-size="12" fill="#1f2328"';
  return `${head} ${style}>\n<rect width="100%" height="100%" fill="#ffffff"/>\n${parts.join('\n')}\n</svg>\n`;
}

const MIDDLE = 'text-anchor="middle" fill="#57606a"';
const END = 'text-anchor="end" fill="#57606a"';

/** Exponents of the powers of ten around the values. */
function decades(values: readonly number[]): readonly [number, number] {
  const from = Math.floor(Math.log10(Math.min(...values)));
  return [from, Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))))];
}

function powers([from, to]: readonly [number, number]): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
}

function label(value: number): string {
  return value >= 1 ? value.toLocaleString('en') : String(value);
}

function rule(x1: number, y1: number, x2: number, y2: number, colour = '#d0d7de', width = 1): string {
  return `<path d="M${x1.toFixed(1)} ${y1.toFixed(1)}L${x2.toFixed(1)} ${y2.toFixed(1)}" stroke="${colour}" stroke-width="${width}"/>`;
}

function text(x: number, y: number, content: string, more = ''): string {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${safe}</text>`;
}
