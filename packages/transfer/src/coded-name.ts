/** What the names of content-coded files end in, by coding. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  gzip: ['.gz', '.tgz'],
  'x-gzip': ['.gz', '.tgz'],
  deflate: ['.zz'],
  br: ['.br'],
  zstd: ['.zst', '.tzst'],
}

/**
 * Whether a name says that its content is stored in this very coding. A server that then also announces the coding may
 * mean the stored bytes, or a coding on top of them: only a checksum can tell (retrieval 8.4).
 */
export function isCodedName(name: string, coding: string): boolean {
  const lower = name.toLowerCase()
  return (SUFFIXES[coding.toLowerCase()] ?? []).some(suffix => lower.endsWith(suffix))
}
