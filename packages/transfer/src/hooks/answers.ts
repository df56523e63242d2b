/** What hooks give back, held to what it must be. */
import type { FileVerdict, HookAnswers } from '../hooks.ts'
import { show } from '../manifest/problem.ts'
import { hookWrong } from './failure.ts'

/** @throws TransferError HookFailed, saying what must be given and what was */
export function readAnswer<Name extends keyof HookAnswers>(
  name: Name,
  given: unknown,
  label: string,
): HookAnswers[Name] {
  if (given === undefined) return undefined as HookAnswers[Name]
  const { must, is, shows } = answers[name]
  if (!is(given)) throw hookWrong(label, must, (shows ?? show)(given))
  return given as HookAnswers[Name]
}

interface Kind {
  readonly must: string
  is(given: unknown): boolean
  /** Where the value itself may be a secret. */
  shows?(given: unknown): string
}

const answers: Record<keyof HookAnswers, Kind> = {
  onFile: { must: "'keep', 'skip', { rename }, { priority } or nothing", is: isVerdict },
  onRetry: { must: 'true, false or nothing', is: given => typeof given === 'boolean' },
  resolve: { must: 'a URL', is: given => typeof given === 'string' && given !== '' },
  credentials: { must: 'headers, each a string, or nothing', is: areHeaders, shows: kindOf },
}

function isVerdict(given: unknown): given is FileVerdict {
  if (given === 'keep' || given === 'skip') return true
  if (given === null || typeof given !== 'object') return false
  const { rename, priority } = given as { readonly rename?: unknown; readonly priority?: unknown }
  if (rename === undefined && priority === undefined) return false
  const isName = rename === undefined || (typeof rename === 'string' && rename !== '')
  return isName && (priority === undefined || Number.isFinite(priority))
}

function areHeaders(given: unknown): boolean {
  if (given === null || typeof given !== 'object' || Array.isArray(given)) return false
  return Object.values(given).every(value => typeof value === 'string')
}

/** What it is, not what it says. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value !== 'object') return typeof value === 'undefined' ? 'nothing' : `a ${typeof value}`
  const odd = Object.entries(value).find(([, each]) => typeof each !== 'string')
  return odd ? `an object whose ${show(odd[0])} is ${kindOf(odd[1])}` : `an object`
}
