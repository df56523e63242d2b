/** What the checks share in judging an outcome. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Outcome } from '../program.ts'
import { digest } from './served-files.ts'

export function expectCode(outcome: Outcome, ...codes: number[]): void {
  assert.ok(
    codes.includes(outcome.code),
    `exit code ${outcome.code}, must be ${codes.join(' or ')}; stderr: ${outcome.stderr.trim().slice(-400)}`,
  )
}

/** A failure is told to the user in a line or two, not in a stack trace. */
export function expectClearFailure(outcome: Outcome, code: number): void {
  expectCode(outcome, code)
  assert.notEqual(outcome.stderr.trim(), '', 'a failure must say something on stderr')
  assert.doesNotMatch(outcome.stderr, /\n\s+at .+:\d+:\d+/, 'a failure must not print a stack trace')
}

export async function expectSameFile(actual: string, original: string): Promise<void> {
  assert.equal(await digest('sha256', actual), await digest('sha256', original), `${actual} must equal ${original}`)
}

/** Nothing else may be left: no temporary, no journal. */
export async function expectOnly(directory: string, ...names: string[]): Promise<void> {
  assert.deepEqual((await readdir(directory)).sort(), [...names].sort(), `what lies in ${directory}`)
}

export async function expectNoFile(directory: string, name: string): Promise<void> {
  assert.ok(!(await readdir(directory)).includes(name), `${join(directory, name)} must not exist`)
}
