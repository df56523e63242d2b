/**
 * The text of a book among everything that its directory lists: `N.txt`, else `N-0.txt`, else the first name in byte
 * order that ends with `.txt`. Entries may be names or paths; those that end with `/` are directories.
 *
 * @returns its base name; undefined where there is no text
 * @example chooseText(418, ['4/1/418/418-8.txt', '4/1/418/418-h/', '4/1/418/418-0.txt']) // '418-0.txt'
 */
export function chooseText(number: number, listing: Iterable<string>): string | undefined {
  const texts = new Set([...listing].map(baseName).filter(name => name.endsWith('.txt')))
  const [preferred] = [`${number}.txt`, `${number}-0.txt`].filter(name => texts.has(name))
  return preferred ?? [...texts].sort(inByteOrder)[0]
}

function baseName(entry: string): string {
  return entry.slice(entry.lastIndexOf('/') + 1)
}

/** Strings compare by UTF-16 units, which is another order beyond U+FFFF. */
function inByteOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
