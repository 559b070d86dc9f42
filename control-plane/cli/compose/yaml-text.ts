// Values → YAML as a person would write it: short lists on a line, anchors for what is shared.
import { Document, isScalar, visit } from 'yaml';

/** What somebody else wrote, within a comment or a line of output. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

/** A key of somebody else's. */
export function keyText(text: string): string {
  return /^[A-Za-z_][\w.-]*$/.test(text) ? text : JSON.stringify(text);
}

/** Longer lists stand one entry to a line. */
const LONGEST_FLOW = 90;

export function block(value: object): string {
  const document = new Document(value, { version: '1.1', aliasDuplicateObjects: false });
  visit(document, {
    Seq(_, list) {
      const texts = list.items.map((item) => (isScalar(item) ? String(item.value) : null));
      list.flow = texts.every((text) => text !== null) && texts.join(', ').length <= LONGEST_FLOW;
    },
    Map(_, map) {
      // An attachment with its one alias, a network without settings.
      if (map.items.length === 0) map.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}

export function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

/** `'&': name` as a first key and `<<: "*name"` become an anchor and its use: the library writes neither beside plain data. */
export function anchors(text: string): string {
  return text
    .replaceAll(/^(\s*[\w-]+):\n\s+"&": (\S+)$/gm, '$1: &$2')
    .replaceAll(/^(\s*)"?<<"?: "(\*[\w-]+)"$/gm, '$1<<: $2');
}
