// Bars with their spread, as SVG that reads on light and dark pages.

export interface Bar {
  readonly series: string;
  readonly value: number;
  readonly least: number;
  readonly greatest: number;
}

export interface Group {
  readonly label: string;
  readonly bars: readonly Bar[];
}

export interface Plot {
  readonly title: string;
  readonly unit: string;
  readonly digits: number;
  readonly groups: readonly Group[];
}

const COLOURS = ['#1f6feb', '#d29922', '#2da44e', '#8250df', '#bf3989', '#57606a', '#0a7ea4'];
const WIDTH = 860;
/** Pixels of a letter, at most. */
const LETTER = 7;
const RIGHT = 110;
const BAR = 16;
const GAP = 12;
const TOP = 64;

export function renderPlot(plot: Plot): string {
  const series = [...new Set(plot.groups.flatMap(({ bars }) => bars.map((bar) => bar.series)))];
  const most = Math.max(...plot.groups.flatMap(({ bars }) => bars.map((bar) => bar.greatest)));
  const left = 30 + LETTER * Math.max(...plot.groups.map(({ label }) => label.length));
  const x = (value: number): number => left + (value / most) * (WIDTH - left - RIGHT);
  const colour = (name: string): string => COLOURS[series.indexOf(name) % COLOURS.length] as string;
  const parts: string[] = [text(20, 26, plot.title, 'font-size="16" font-weight="600"')];
  let legend = 20;
  for (const name of series) {
    parts.push(rect(legend, 38, 11, 11, colour(name)), text(legend + 16, 48, name));
    legend += 30 + name.length * (LETTER - 0.5);
  }
  parts.push(text(WIDTH - 20, 26, `${plot.unit}; lines: least and greatest round`, 'text-anchor="end" fill="#57606a"'));
  let y = TOP;
  for (const group of plot.groups) {
    const height = group.bars.length * BAR;
    parts.push(text(left - 10, y + height / 2 + 4, group.label, 'text-anchor="end"'));
    for (const bar of group.bars) {
      parts.push(rect(left, y + 1, Math.max(1, x(bar.value) - left), BAR - 3, colour(bar.series)));
      parts.push(whisker(x(bar.least), x(bar.greatest), y + BAR / 2 - 0.5));
      parts.push(text(x(bar.greatest) + 7, y + BAR - 4, bar.value.toFixed(plot.digits), 'font-size="11"'));
      y += BAR;
    }
    y += GAP;
  }
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 8}" width="${WIDTH}" height="${y + 8}"`;
  const style = 'font-family="system-ui, sans-serif" font-size="12" fill="#1f2328"';
  return `${head} ${style}>\n<rect width="100%" height="100%" fill="#ffffff"/>\n${parts.join('\n')}\n</svg>\n`;
}

function text(x: number, y: number, content: string, more = ''): string {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${safe}</text>`;
}

function rect(x: number, y: number, width: number, height: number, colour: string): string {
  return `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="${colour}"/>`;
}

function whisker(from: number, to: number, y: number): string {
  const ends = [from, to].map((x) => `M${x.toFixed(1)} ${(y - 3).toFixed(1)}v6`).join('');
  return `<path d="M${from.toFixed(1)} ${y.toFixed(1)}H${to.toFixed(1)}${ends}" stroke="#1f2328" fill="none"/>`;
}
