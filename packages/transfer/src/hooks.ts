/**
 * Hooks at every stage boundary (retrieval 15). All may be async and are awaited; a throw fails the item with HookFailed,
 * unless the hook's name is in `advisory`. Every URL that a hook sees is redacted.
 */
import { TransferError } from './errors.ts'
import type { Verification } from './integrity/verification.ts'
import type { Range, Resource } from './resource.ts'

export interface HookContext {
  /** Redacted URL. */
  readonly uri: string
  /** Target path, when there is one. */
  readonly file: string | undefined
}

type Awaitable<T> = T | Promise<T>

export interface Hooks {
  /** Before anything is asked of the source. */
  onPlan?(context: HookContext): Awaitable<void>
  /** An entry of a list, before it is started; undefined keeps it. */
  onFile?(entry: {
    readonly uri: string
    readonly path: string | undefined
    readonly size: number | undefined
  }): Awaitable<'keep' | 'skip' | { readonly rename: string } | { readonly priority: number } | undefined>
  /** The head of the first answer is known. */
  onResource?(context: HookContext & { readonly resource: Resource }): Awaitable<void>
  /** A part is about to be asked for. */
  onPart?(context: HookContext & { readonly part: Range }): Awaitable<void>
  /** An answer was accepted. */
  onResponse?(context: HookContext & { readonly part: Range; readonly resource: Resource }): Awaitable<void>
  /** Bytes arrived; the view is valid until the promise resolves. Ascending when `chunkOrder` is `ascending`. */
  onChunk?(context: HookContext & { readonly offset: number; readonly bytes: Uint8Array }): Awaitable<void>
  onPartDone?(context: HookContext & { readonly part: Range }): Awaitable<void>
  /** A failure is about to be retried after `delayMs`; false vetoes. */
  onRetry?(
    context: HookContext & { readonly error: TransferError; readonly attempt: number; readonly delayMs: number },
  ): Awaitable<boolean | undefined>
  /** A slow tail is asked for a second time. */
  onHedge?(context: HookContext & { readonly part: Range }): Awaitable<void>
  /** Everything arrived and was compared, before it is published. */
  onVerify?(context: HookContext & { readonly verification: Verification }): Awaitable<void>
  /** One file ended, well or badly. */
  onFileDone?(context: HookContext & { readonly error: unknown; readonly bytes: number }): Awaitable<void>
  /** The whole run ended. */
  onDone?(summary: { readonly files: number; readonly failed: number; readonly bytes: number }): Awaitable<void>
  /**
   * Another address for a URL, e.g. a fresh presigned one; asked on first contact and after 401 or 403. Giving back what
   * was given keeps the URL as it is, with what was redacted.
   */
  resolve?(uri: string): Awaitable<string>
  /** Headers for a request to this origin, e.g. Authorization; asked once and again after 401 or 403. */
  credentials?(request: {
    readonly origin: string
    readonly isRefresh: boolean
  }): Awaitable<Readonly<Record<string, string>> | undefined>
  /** A pass over the ordered bytes between fetch and sink; digests are of what was fetched. */
  transform?(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
  /** How `onChunk` wants its bytes. Default `any`. */
  readonly chunkOrder?: 'any' | 'ascending'
  /** Hooks whose failure is only reported. */
  readonly advisory?: readonly (keyof Hooks)[]
}

type HookName = Exclude<
  { [K in keyof Hooks]: Hooks[K] extends ((...args: never[]) => unknown) | undefined ? K : never }[keyof Hooks],
  undefined
>

/**
 * Calls one hook and waits for it. A throw becomes HookFailed, or is passed over when the hook is advisory.
 *
 * @param spent hears how many ms the caller's code took
 */
export async function callHook<K extends HookName>(
  hooks: Hooks,
  name: K,
  argument: Parameters<NonNullable<Hooks[K]>>[0],
  spent?: (ms: number) => void,
): Promise<Awaited<ReturnType<NonNullable<Hooks[K]>>> | undefined> {
  const hook = hooks[name] as ((argument: unknown) => unknown) | undefined
  if (!hook) return undefined
  const startedAt = performance.now()
  try {
    return (await hook.call(hooks, argument)) as Awaited<ReturnType<NonNullable<Hooks[K]>>>
  } catch (error) {
    if (hooks.advisory?.includes(name)) return undefined
    if (error instanceof TransferError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new TransferError('HookFailed', `The hook ${name} failed: ${message}`, { cause: error })
  } finally {
    spent?.(performance.now() - startedAt)
  }
}
