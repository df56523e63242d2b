/** Just enough of the ustar format (POSIX.1-1988) for regular files. */

export interface TarMember {
  readonly name: string
  readonly bytes: Uint8Array
}

export function makeTar(members: readonly TarMember[]): Buffer {
  const blocks = members.flatMap(({ name, bytes }) => [header(name, bytes.length), bytes, padding(bytes.length)])
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(512)
  const { prefix, rest } = split(name)
  block.write(rest, 0, 100)
  block.write('0000644\0', 100)
  block.write('0000000\0', 108)
  block.write('0000000\0', 116)
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  block.write('14524652445\0', 136)
  block.write(' '.repeat(8), 148)
  block.write('0', 156)
  block.write('ustar\0' + '00', 257)
  block.write(prefix, 345, 155)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** Names of more than 100 bytes are divided at a slash. */
function split(name: string): { prefix: string; rest: string } {
  if (Buffer.byteLength(name) <= 100) return { prefix: '', rest: name }
  const at = name.indexOf('/', Math.max(0, name.length - 101))
  if (at < 1 || at > 155) throw new RangeError(`Cannot put ${name} into a tar: it cannot be divided`)
  return { prefix: name.slice(0, at), rest: name.slice(at + 1) }
}

function padding(size: number): Buffer {
  return Buffer.alloc((512 - (size % 512)) % 512)
}
