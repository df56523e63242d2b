import type { HookArguments } from '@arriero/transfer'

/** The bytes lie where they were received: nothing is copied. */
export function isText({ uri, offset, bytes }: HookArguments['onChunk']): void {
  const at = bytes.findIndex(byte => byte === 0 || byte > 126)
  if (at !== -1) throw new Error(`${uri} is no plain text: byte ${offset + at} is ${bytes[at]}`)
}

export async function* numbered(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let line = 0
  let rest = ''
  for await (const piece of bytes) {
    const lines = (rest + Buffer.from(piece).toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    yield Buffer.from(lines.map(text => `${++line} ${text}\n`).join(''))
  }
  if (rest !== '') yield Buffer.from(`${++line} ${rest}`)
}
