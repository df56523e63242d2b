import { beforeAll, describe, expect, test } from 'vitest'
import { nodePath, programPath, startProcess } from '../program.ts'
import { sha256, testBytes } from './server.ts'
import { workspace } from './workspace.ts'

const body = testBytes(9_000_000)
const w = workspace()

beforeAll(() => {
  w.server.serve('/a', { body })
  w.server.serve('/b', { body: Buffer.from('and the second\n') })
})

const url = (path: string) => `${w.server.url}${path}`

describe('bytes on stdout', () => {
  test('get -o - writes exactly the bytes, in order', async () => {
    const { code, stdoutBytes, stderr } = await w.run([
      'get',
      url('/a'),
      '-o',
      '-',
      '--checksum',
      `sha256:${sha256(body)}`,
    ])
    expect(code, stderr).toBe(0)
    expect(stdoutBytes.equals(body)).toBe(true)
    expect(await w.files()).toEqual([])
  })

  test('cat joins several', async () => {
    const { code, stdoutBytes } = await w.run(['cat', url('/a'), url('/b')])
    expect(code).toBe(0)
    expect(stdoutBytes.equals(Buffer.concat([body, Buffer.from('and the second\n')]))).toBe(true)
  })

  test('a wrong checksum is told after the bytes, with exit 3', async () => {
    const { code, stderr } = await w.run(['cat', url('/a'), '--checksum', `sha256:${'0'.repeat(64)}`])
    expect(code).toBe(3)
    expect(stderr).toContain(sha256(body))
  })

  test('--json contradicts it', async () => {
    expect(await w.run(['cat', url('/a'), '--json'])).toMatchObject({ code: 2 })
  })

  test('a reader that leaves early ends it quietly, as SIGPIPE would', async () => {
    const command = 'set -o pipefail; "$0" "$1" cat "$2" | head -c 10 >/dev/null; echo "code $?"'
    const { stdout, stderr } = await startProcess('bash', ['-c', command, nodePath, programPath, url('/a')]).outcome
    expect(stdout).toBe('code 141\n')
    expect(stderr).toBe('')
  })

  test('a full disk behind stdout is told, with exit 7', async ({ skip }) => {
    if (process.platform !== 'linux') skip('NOT RUN /dev/full: Linux only')
    const command = '"$0" "$1" cat "$2" > /dev/full'
    const { code, stderr } = await startProcess('bash', ['-c', command, nodePath, programPath, url('/a')]).outcome
    expect(code).toBe(7)
    expect(stderr).toContain('stdout')
  })
})
