type Done = (error?: Error | null) => void

/** Has whole lines told instead of written, until the answer is called; what is left then is written as it is. */
export function divertLines(stream: Pick<NodeJS.WriteStream, 'write'>, say: (line: string) => void): () => void {
  const { write } = stream
  const decoder = new TextDecoder()
  let rest = ''
  stream.write = (piece: string | Uint8Array, encoding?: BufferEncoding | Done, done?: Done) => {
    const lines = (rest + (typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true }))).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) say(line)
    const told = typeof encoding === 'function' ? encoding : done
    if (told) process.nextTick(told)
    return true
  }
  return () => {
    stream.write = write
    if (rest !== '') write.call(stream, rest)
  }
}
