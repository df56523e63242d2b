import type { Terminal } from '../src/terminal.ts'

/** A terminal that remembers. */
export function testTerminal({ columns = 80, isTTY = false, env = {}, input = '' } = {}) {
  const texts = { stdout: '', stderr: '' }
  const output = (key: 'stdout' | 'stderr') => ({
    write: (text: string) => void (texts[key] += text),
    isTTY,
    columns,
    rows: 24,
  })
  const terminal: Terminal = {
    stdout: output('stdout'),
    stderr: output('stderr'),
    stdin: (async function* () {
      if (input !== '') yield Buffer.from(input)
    })(),
    env,
    cwd: process.cwd(),
    flush: async () => {},
  }
  return {
    terminal,
    texts,
    /** The lines on stderr. */
    said: () => texts.stderr.split('\n').filter(line => line !== ''),
  }
}
