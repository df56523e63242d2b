/**
 * The catalogue: every file, every copy, every transfer, every user of one librarian.
 *
 * Its methods are the operations of `operations/`, by area and name: `catalogue.files.find({ name })`. Each is one
 * transaction; a write has reached stable storage when its promise resolves (reliability A2). Where it rejects nothing was
 * changed, but for `OutcomeUnknown`, which says what its name says. SQLite and PostgreSQL run the same operations and pass the
 * same suite (`test/catalogue-suite.ts`).
 */
import type { LibrarianError } from '@arriero/api'
import type { Operation } from './operation.ts'
import type { operations } from './operations/index.ts'

type Method<O> =
  O extends Operation<infer Arguments, infer Result>
    ? undefined extends Arguments
      ? (args?: Arguments) => Promise<Result>
      : (args: Arguments) => Promise<Result>
    : never

/** Methods for the operations of a registry. */
export type MethodsOf<Registry> = {
  readonly [Area in keyof Registry]: { readonly [Name in keyof Registry[Area]]: Method<Registry[Area][Name]> }
}

export type Operations = MethodsOf<typeof operations>

export interface Catalogue extends Operations, AsyncDisposable {
  readonly engine: 'sqlite' | 'postgres'
  readonly capabilities: {
    /** Whether `backup` works. PostgreSQL has tools of its own for that. */
    readonly canBackUp: boolean
  }
  /** Why it can no longer be used, once that is so: every operation then rejects with this. Only opening it again helps. */
  readonly failure: LibrarianError | undefined
  /**
   * Writes a copy to a file while work goes on: consistent, synced and checked in full when it resolves. What was at `path` is
   * replaced then and not before. The copy has the mode 0600.
   */
  backup(path: string): Promise<void>
  /** Reads all of it and resolves to what is wrong, in words; where anything is, the catalogue can no longer be used. */
  check(): Promise<readonly string[]>
  /** Waits for operations that run, then closes. May be called twice. */
  close(): Promise<void>
}
