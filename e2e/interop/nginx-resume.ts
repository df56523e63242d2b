/** Interrupted downloads, and two at once. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { arriero, startArriero } from '../program.ts'
import type { Check, Place } from './check.ts'
import { expectCode, expectOnly, expectSameFile } from './expect.ts'
import { MiB } from './served-files.ts'

// Small parts over few slow connections: what is in flight when the program dies is at most 4 MiB of the 48. As much
// again may have been counted by the server when it lay in a socket's buffer only.
const slowly = ['--connections', '4', '--part-size', String(MiB)]
const inFlightAtMost = 2 * 4 * MiB
const interruptAfter = 16 * MiB

export const resumeChecks: Check[] = [
  { name: 'get resumes after SIGINT, which ends it with 130', run: place => resumeAfter('SIGINT', 130, place) },
  { name: 'get resumes after SIGKILL', run: place => resumeAfter('SIGKILL', 137, place) },
  {
    name: 'two gets of one target leave one right file',
    async run({ nginx, root, directory }) {
      const args = ['get', `${nginx.capped}/medium.bin`, '-o', 'medium.bin', ...slowly]
      const outcomes = await Promise.all([arriero(args, { cwd: directory }), arriero(args, { cwd: directory })])
      assert.ok(
        outcomes.some(({ code }) => code === 0),
        `one must succeed: ${outcomes.map(({ code, stderr }) => `${code} ${stderr.trim()}`).join(' | ')}`,
      )
      for (const { code, stderr } of outcomes) assert.ok(code === 0 || stderr.trim() !== '', 'the loser must say why')
      await expectSameFile(join(directory, 'medium.bin'), join(root, 'medium.bin'))
      await expectOnly(directory, 'medium.bin')
    },
  },
]

async function resumeAfter(signal: 'SIGINT' | 'SIGKILL', code: number, place: Place): Promise<void> {
  const { nginx, root, directory } = place
  const args = ['get', `${nginx.capped}/medium.bin`, '-o', 'medium.bin', ...slowly]

  const first = startArriero(args, { cwd: directory })
  await served(place, interruptAfter, first.outcome)
  first.process.kill(signal)
  expectCode(await first.outcome, code)
  assert.ok(!(await readdir(directory)).includes('medium.bin'), 'no final name before all is verified')

  // nginx writes the line of a request that was cut off only when it notices.
  await sleep(300)
  const before = await bytesServed(place)
  expectCode(await arriero(args, { cwd: directory }), 0)
  const refetched = (await bytesServed(place)) - before
  const whole = 48 * MiB + 11
  const most = whole - interruptAfter + inFlightAtMost
  assert.ok(refetched <= most, `the second run fetched ${refetched} bytes of ${whole}, must be at most ${most}`)
  await expectSameFile(join(directory, 'medium.bin'), join(root, 'medium.bin'))
  await expectOnly(directory, 'medium.bin')
}

/** Waits until the server has sent that much since now, and fails if the program is done before. */
async function served(place: Place, bytes: number, outcome: Promise<unknown>): Promise<void> {
  const start = await bytesServed(place)
  let isDone = false
  const done = () => (isDone = true)
  outcome.then(done, done)
  while ((await bytesServed(place)) - start < bytes) {
    assert.ok(!isDone, `the first run ended before ${bytes} bytes were served`)
    await sleep(20)
  }
}

async function bytesServed({ nginx }: Place): Promise<number> {
  return (await nginx.served()).reduce((sum, { bodyBytes }) => sum + bodyBytes, 0)
}
