/** Cases of the attack matrix, by its rows (docs/attacks.md). */
import { expect, test } from 'vitest'
import type { Answer, Site } from './site.ts'

/** One case of a row. `docs:check` sees to it that every row has some. */
export function attack(row: string, what: string, run: () => Promise<void>): void {
  test(`${row}: ${what}`, run)
}

/** A call that must be refused with a status, without changing anything or telling of the inside. */
export async function refuse(site: Site, status: number, call: () => Promise<Answer>): Promise<Answer> {
  const before = await site.holdings()
  const answer = await call()
  expect([answer.status, answer.text]).toEqual([status, answer.text])
  expectGeneric(site, answer)
  expect(await site.holdings()).toBe(before)
  return answer
}

/** What a stranger must not read in an answer: where we are, what we are made of, how we failed. */
export function expectGeneric({ directory }: Site, { text, headers }: Pick<Answer, 'text' | 'headers'>): void {
  expect(text).not.toContain(directory)
  expect(text).not.toMatch(/node_modules|\bat .*\.[jt]s:\d+|SQLITE|sqlite|ENOENT|EACCES|\/src\/|TypeError|ZodError/)
  expect(headers.get('x-powered-by')).toBe(null)
  expect(headers.get('server')).toBe(null)
}

/** A control character as it is written. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…${text.length}` : text)
}
