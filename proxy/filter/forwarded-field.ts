// The chain of hops in `Forwarded` (RFC 7239) and X-Forwarded-For: how far back it can be believed, and its next link.
import { forEachElement } from '../kit/field-values.ts';

/** Whether a proxy at this address says the truth about where a request comes from. */
export type IsTrusted = (address: string) => boolean;

/**
 * The links that trusted hops wrote: from the right, every one that names a trusted hop and the first that does not. What
 * stands left of it is the client's own word, and is dropped.
 */
export function believed(links: readonly string[], nodeOf: (link: string) => string, isTrusted: IsTrusted): string[] {
  let from = links.length;
  while (from > 0) {
    from--;
    if (!isTrusted(nodeOf(links[from] as string))) break;
  }
  return links.slice(from);
}

/** Links of X-Forwarded-For. */
export function listElements(values: readonly string[]): string[] {
  const elements: string[] = [];
  for (const value of values) forEachElement(value, (element) => void elements.push(element));
  return elements;
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80` → the address; other text as it is. */
export function addressOf(node: string): string {
  const bracketed = /^\[([0-9a-f:.]+)\](?::\d{1,5})?$/i.exec(node);
  if (bracketed !== null) return bracketed[1] as string;
  return /^([\d.]+):\d{1,5}$/.exec(node)?.[1] ?? node;
}

/** Elements of Forwarded: commas and semicolons inside quotes are text. Null where a quote is left open. */
export function forwardedElements(values: readonly string[]): string[] | null {
  const elements: string[] = [];
  for (const value of values) {
    // A quoted string that never ends would swallow what the next hop adds.
    if (!/^(?:[^"]|"(?:[^"\\]|\\.)*")*$/.test(value)) return null;
    for (const [element] of value.matchAll(/(?:[^",]|"(?:[^"\\]|\\.)*")+/g)) {
      if (element.trim() !== '') elements.push(element.trim());
    }
  }
  return elements;
}

/** The address in `for=` of an element; '' where there is none. */
export function forwardedNode(element: string): string {
  const found = /(?:^|;)[\t ]*for=(?:"((?:[^"\\]|\\.)*)"|([^";\t ]+))/i.exec(element);
  return addressOf(found?.[1] ?? found?.[2] ?? '');
}

/** One element: what this hop saw. */
export function forwardedElement(address: string, scheme: string, host: string): string {
  const node = address.includes(':') ? `"[${address}]"` : address;
  const named = host === '' ? '' : `;host=${/[^\w.-]/.test(host) ? `"${host}"` : host}`;
  return `for=${node}${named};proto=${scheme}`;
}
