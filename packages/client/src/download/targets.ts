import { NameRegistry, printable, TransferError } from '@arriero/transfer'

type Conflict = NonNullable<ReturnType<NameRegistry['claim']>>['kind']

/** Where the files of one download go: of two that would be one here, the second is refused, and both are named. */
export class Targets {
  readonly #paths = new NameRegistry()
  readonly #names: string[] = []

  /**
   * Takes the path for the file of this name, or says why it cannot have it.
   *
   * @param path relative, `/`-separated
   */
  claim(name: string, path: string): TransferError | undefined {
    const conflict = this.#paths.claim(path, this.#names.length)
    if (conflict) return refusal(name, this.#names[conflict.index] as string, conflict.kind)
    this.#names.push(name)
    return undefined
  }
}

const reasons: Readonly<Record<Conflict, string>> = {
  same: 'would have the same path here (paths that differ only in case or Unicode form count as one)',
  'parent-is-file': 'has the path of its directory here',
  'is-directory': 'lies in a directory of the same path here',
}

/** A place in a list that nobody wrote would tell nothing. */
function refusal(name: string, first: string, kind: Conflict): TransferError {
  return new TransferError('Usage', `Cannot write ${printable(name)}: ${printable(first)} ${reasons[kind]}`, {
    remedy: 'Fetch it by itself, with -o under another name or with -d into another directory.',
  })
}
