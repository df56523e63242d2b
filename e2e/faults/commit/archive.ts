/** A directory as a POSIX archive (ustar), written here a second time on purpose: the judge shares nothing with the judged. */
export function archiveOf(members: ReadonlyMap<string, Uint8Array | null>): Uint8Array {
  const all = new Map(members)
  for (const path of members.keys()) {
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) all.set(path.slice(0, at), null)
  }
  const entries = [...all].sort(([a], [b]) => (a < b ? -1 : 1))
  const blocks = entries.flatMap(([path, bytes]) =>
    bytes === null ? [headerOf(`${path}/`, 0, '5')] : [headerOf(path, bytes.length, '0'), padded(bytes)],
  )
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

function headerOf(path: string, size: number, kind: '0' | '5'): Buffer {
  const header = Buffer.alloc(512)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  const fields = [
    [0, path],
    [100, octal(kind === '5' ? 0o755 : 0o644, 7)],
    [108, octal(0, 7)],
    [116, octal(0, 7)],
    [124, octal(size, 11)],
    [136, octal(0, 11)],
    [148, ' '.repeat(8)],
    [156, kind],
    [257, 'ustar\x0000'],
  ] as const
  for (const [at, text] of fields) header.write(text, at, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 6)} `, 148, 'latin1')
  return header
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}
