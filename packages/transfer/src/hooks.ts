/**
 * Hooks: the caller's own code at every stage of a transfer (retrieval 15). Contract; `hooks/` holds what calls them.
 *
 * What holds:
 * - Every hook may be async and is awaited: the stage that it belongs to goes on when it has answered (back-pressure).
 *   `onResponse` alone runs beside the body; the file ends no sooner than it does.
 * - A throw fails the item with HookFailed, which names the hook; a TransferError passes through as it is. So does an answer
 *   of the wrong kind, and none within `timeoutMs`. Nothing of a failed item is visible. Of a hook in `advisory` none of
 *   this is told, and one that did not answer in time is not asked again.
 * - An abort of the call waits for no hook. The memory behind `onChunk` and `transform` stays reserved until they are done
 *   with it: a hook that hangs never sees another part's bytes.
 * - URLs, headers and messages that a hook is given are redacted.
 * - Of several objects each hook is called in their order; the first failure ends it. What answers add up to is said at
 *   each hook. `onFileDone` and `onDone` are told to all, whoever fails.
 * - An object belongs to who made it. A class, or a function that makes an object, is called once at the beginning of the
 *   call (`download`, `downloadAll`, …), and what it made is closed at its end, however that comes:
 *   `[Symbol.asyncDispose]`, `[Symbol.dispose]` or `close`, the first that is there.
 * - Wherever a function can be given, `{ module, export }` names one that is called in a thread of the engine's, for work
 *   that keeps a CPU busy. It gets the same argument as data: bytes lie in shared memory and are not copied, errors have
 *   their properties but no class. A thread that dies fails the item.
 */
import type { TransferError } from './errors.ts'
import type { Verification } from './integrity/verification.ts'
import type { Range, Resource } from './resource.ts'
import type { Listed } from './source.ts'

/** Which file a hook is called for. */
export interface HookContext {
  /** Redacted URL. */
  readonly uri: string
  /** Target path, when there is one. */
  readonly file: string | undefined
}

type Awaitable<T> = T | Promise<T>

/** A function by its module and its name there, called in a thread. It must be pure: every thread has its own copy. */
export interface WorkerHook {
  /** A URL, e.g. `new URL('./hooks.ts', import.meta.url)`; or a path, relative to the current directory. */
  readonly module: URL | string
  readonly export: string
}

/** A function, or where to find one. What it gives back is looked at only where an answer is wanted. */
export type Hook<Argument, Answer = unknown> = ((argument: Argument) => Awaitable<Answer>) | WorkerHook

/** A pass over bytes. A view that it is given is valid until it asks for the next one. */
export type Transform = (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>

/** What a listing gives at once. */
export interface ListPage {
  /** Redacted URL of what is listed. */
  readonly uri: string
  /** From 0. */
  readonly page: number
  readonly entries: readonly Listed[]
}

/** An entry of a list that may be fetched. */
export interface FileEntry {
  /** Redacted URL. */
  readonly uri: string
  /** As the list has it, relative to the directory. */
  readonly path: string | undefined
  /** Bytes. */
  readonly size: number | undefined
}

/** What becomes of an entry; undefined is `keep`. Lower priorities go first; 0 without one. */
export type FileVerdict =
  | 'keep'
  | 'skip'
  | { readonly rename: string; readonly priority?: number | undefined }
  | { readonly rename?: string | undefined; readonly priority: number }

/** Status and headers of an answer, before its bytes. */
export interface ResponseHead {
  readonly part: Range
  readonly resource: Resource
  /** HTTP status; undefined where the source is no HTTP server. */
  readonly status: number | undefined
  /** By lower-case name, secret values as `***`; undefined where the source is no HTTP server. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>> | undefined
}

/** An attempt that failed, and the one that follows. */
export interface Retrying {
  readonly error: TransferError
  /** From 1, of this file. */
  readonly attempt: number
  readonly delayMs: number
}

/** What became of one file. */
export interface FileEnd {
  /** Why it failed; undefined: it did not. */
  readonly error: unknown
  /** Bytes that are there now; of a failed file, those that had come. */
  readonly bytes: number
  /** What was proven; undefined where it failed. */
  readonly verification: Verification | undefined
}

/** What became of a run. */
export interface RunEnd {
  readonly files: number
  readonly failed: number
  readonly bytes: number
}

/** What each hook is called with. */
export interface HookArguments {
  onPlan: HookContext
  onListPage: ListPage
  onFile: FileEntry
  onResource: HookContext & { readonly resource: Resource }
  onPart: HookContext & { readonly part: Range }
  onResponse: HookContext & ResponseHead
  onChunk: HookContext & { readonly offset: number; readonly bytes: Uint8Array }
  onPartDone: HookContext & { readonly part: Range }
  onRetry: HookContext & Retrying
  onHedge: HookContext & { readonly part: Range }
  onVerify: HookContext & { readonly verification: Verification }
  onFileDone: HookContext & FileEnd
  onDone: RunEnd
  resolve: string
  credentials: { readonly origin: string; readonly isRefresh: boolean }
}

/** What is made of the answer, where there is one; of the others anything may come back. */
export interface HookAnswers {
  onFile: FileVerdict | undefined
  onRetry: boolean | undefined
  resolve: string | undefined
  credentials: Readonly<Record<string, string>> | undefined
}

type Called<Name extends keyof HookArguments> = Hook<
  HookArguments[Name],
  Name extends keyof HookAnswers ? HookAnswers[Name] : unknown
>

/** Functions of the caller's, each called at its stage; all may be left out. */
export interface Hooks {
  /** Before anything is asked of the source; again before each attempt that begins anew. */
  readonly onPlan?: Called<'onPlan'>
  /** A page of a listing came, before its entries are used; the next page waits. */
  readonly onListPage?: Called<'onListPage'>
  /**
   * An entry of a list, before it is started; undefined keeps it. Of several objects the first `skip` decides; each sees
   * the path that those before it have given; of several priorities the first holds.
   */
  readonly onFile?: Called<'onFile'>
  /** The head of the first answer is known. */
  readonly onResource?: Called<'onResource'>
  /** A part is about to be asked for. */
  readonly onPart?: Called<'onPart'>
  /** An answer was accepted. */
  readonly onResponse?: Called<'onResponse'>
  /**
   * Bytes arrived, as they were fetched; the view is valid until the promise resolves. Ascending when `chunkOrder` is
   * `ascending`; of several objects one that wants that is enough.
   */
  readonly onChunk?: Called<'onChunk'>
  /** A part arrived, and whoever wanted its bytes is done with them. */
  readonly onPartDone?: Called<'onPartDone'>
  /** A failure is about to be retried after `delayMs`; false, of any object, vetoes. */
  readonly onRetry?: Called<'onRetry'>
  /** A slow tail is asked for a second time. */
  readonly onHedge?: Called<'onHedge'>
  /** Everything arrived and was compared, before it is published. */
  readonly onVerify?: Called<'onVerify'>
  /** One file ended, well or badly. */
  readonly onFileDone?: Called<'onFileDone'>
  /** The call ended, well or badly. */
  readonly onDone?: Called<'onDone'>
  /**
   * Another address for a URL, e.g. a fresh presigned one; asked on first contact and after 401 or 403. Giving back what
   * was given, or nothing, keeps the URL as it is, with what was redacted. Of several objects each is given what the one
   * before it gave.
   */
  readonly resolve?: Called<'resolve'>
  /**
   * Headers for a request to this origin, e.g. Authorization; asked once and again after 401 or 403. Of several objects
   * the first one to name a header decides it.
   */
  readonly credentials?: Called<'credentials'>
  /**
   * A pass over the ordered bytes between fetch and sink; digests are of what was fetched. Of several objects each is
   * given what the one before it made. In a thread of its own when it is given by module and export.
   */
  readonly transform?: Transform | WorkerHook
  /** How `onChunk` wants its bytes. Default `any`. */
  readonly chunkOrder?: 'any' | 'ascending' | undefined
  /** Hooks whose failure is passed over. */
  readonly advisory?: readonly HookName[] | undefined
  /** Longest time for one answer, ms; Infinity: none. Default 300,000. */
  readonly timeoutMs?: number | undefined
  /** The call that made this object is over. */
  close?(): unknown
  [Symbol.asyncDispose]?(): PromiseLike<void>
  [Symbol.dispose]?(): void
}

/** Every hook that can be called. */
export type HookName = keyof HookArguments | 'transform'

/** Makes an object of hooks for one call: a class, or a function. */
export type HooksMaker = (new () => Hooks) | (() => Awaitable<Hooks>)

/** What an option `hooks` takes. */
export type HooksOption = Hooks | HooksMaker | readonly (Hooks | HooksMaker)[]

/** How often a hook was called, and how long it took, ms; calls that overlapped count each for itself. */
export interface HookTime {
  readonly calls: number
  readonly ms: number
}

/** How often a hook was called, and how long it took. */
export type HookTimes = Readonly<Partial<Record<HookName, HookTime>>>
