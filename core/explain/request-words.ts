// An explanation as lines for people: one step a line, in the order in which they are decided, and what comes of it last.
import type { Explanation, Refusal, Step, Target } from './explanation.ts';
import { percent } from './targets.ts';

const NAME_WIDTH = 15;

export function explanationLines(explanation: Explanation): readonly string[] {
  const { request, snapshot, steps, targets } = explanation;
  const caller = request.caller === '' ? '' : `, called by ${request.caller}`;
  const asked = /^(?:tcp|tls):/i.test(request.url) ? request.url : `${request.method} ${request.url}`;
  return [
    `${asked}${caller} (snapshot ${snapshot})`,
    ...steps.flatMap((each) => stepLines(each, '  ')),
    ...targets.flatMap((target) => targetLines(target, targets.length > 1)),
    `result: ${resultWords(explanation)}`,
    // Instances speak in it, and it goes onto terminals.
  ].map((line) => line.replaceAll(/\p{Cc}/gu, ' '));
}

/** Whether some of such requests are answered by a proxy in place of an app. */
export function isRefused({ refused, targets }: Explanation): boolean {
  return refused !== null || targets.some((target) => target.share > 0 && target.refused !== null);
}

function targetLines(target: Target, many: boolean): readonly string[] {
  const share = many ? `, ${percent(target.share)} of them` : '';
  return [`  to ${target.cluster}${share}`, ...target.steps.flatMap((each) => stepLines(each, '    '))];
}

function stepLines(step: Step, indent: string): readonly string[] {
  const { words, notes, rule, at, refused } = step;
  const where = [at, rule].filter((part) => part !== '').join(' ');
  const mark = refused === null ? '' : 'NO: ';
  const lead = `${indent}${step.step.padEnd(NAME_WIDTH)}`;
  return [
    `${lead}${mark}${words}${where === '' ? '' : ` (${where})`}`,
    ...notes.map((note) => `${' '.repeat(lead.length)}- ${note}`),
  ];
}

function resultWords({ refused, targets }: Explanation): string {
  if (refused !== null) return refusalWords(refused);
  const live = targets.filter(({ share }) => share > 0);
  const words = live.map((target) => {
    const end = target.refused === null ? `it reaches ${target.cluster}` : refusalWords(target.refused);
    return live.length === 1 ? end : `${percent(target.share)}: ${end}`;
  });
  return words.join('; ');
}

function refusalWords({ code, status, hint }: Refusal): string {
  const silent = code === 'no-listener' ? 'nobody answers' : 'the connection is closed';
  const answer = status === 0 ? `${silent} (${code})` : `${status} ${code}`;
  return hint === '' ? answer : `${answer}: ${hint}`;
}
