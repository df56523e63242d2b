import { expect, test } from 'vitest'
import { divertLines } from './divert-lines.ts'

/** Keeps what reaches it. */
function sink() {
  const written: (string | Uint8Array)[] = []
  return { written, stream: { write: (piece: string | Uint8Array) => written.push(piece) > 0 } }
}

test('lines are told whole, however they come, and the last piece is written at the end', () => {
  const { written, stream } = sink()
  const lines: string[] = []
  const end = divertLines(stream, line => lines.push(line))
  stream.write('one\ntw')
  const [first, second] = [Buffer.from('o é\n').subarray(0, 3), Buffer.from('o é\n').subarray(3)]
  stream.write(first)
  stream.write(second)
  stream.write('prompt> ')
  expect(lines).toEqual(['one', 'two é'])
  expect(written).toEqual([])
  end()
  stream.write('after\n')
  expect(written).toEqual(['prompt> ', 'after\n'])
})

test('who waits for a write is answered', async () => {
  const { stream } = sink()
  const end = divertLines(stream as NodeJS.WriteStream, () => {})
  await new Promise(resolve => (stream as NodeJS.WriteStream).write('x\n', resolve))
  await new Promise(resolve => (stream as NodeJS.WriteStream).write('x\n', 'utf8', resolve))
  end()
})
