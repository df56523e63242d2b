import { pour } from '../../http/pour.ts'
import type { Resource } from '../../resource.ts'
import type { FetchRequest, Source, SourceCapabilities } from '../../source.ts'
import { checkRange } from '../local-answer.ts'
import { type GdcGroups, MOST_MEMBER } from './groups.ts'

export interface GroupedSourceOptions {
  readonly id: string
  /** Bytes, as far as they are known beforehand. */
  readonly size: number | undefined
  readonly groups: GdcGroups
  /** Asks for the file by itself. */
  readonly single: Source
  /** What a failure of that means at the GDC. */
  explain(error: unknown): unknown
}

/** Between two looks at the signal. */
const PIECE = 64 * 1024

/** A file that may travel in an archive with others when all of it is asked for, and comes by itself otherwise. */
export class GroupedSource implements Source {
  readonly #o: GroupedSourceOptions

  constructor(options: GroupedSourceOptions) {
    this.#o = options
  }

  get uri(): string {
    return this.#o.single.uri
  }

  get origin(): string {
    return this.#o.single.origin
  }

  get capabilities(): SourceCapabilities {
    return this.#o.single.capabilities
  }

  probe(options: { signal: AbortSignal }): Promise<Resource> {
    return this.#explained(this.#o.single.probe(options))
  }

  async fetch(request: FetchRequest): Promise<void> {
    const { id, size, groups, single } = this.#o
    const { range, signal } = request
    checkRange(range, this.uri)
    signal.throwIfAborted()
    const isForGroup = size !== undefined && isWholeAndSmall(request, size)
    const bytes = isForGroup ? await groups.take(id, size, signal) : undefined
    signal.throwIfAborted()
    return bytes ? pourAll(bytes, request) : this.#explained(single.fetch(request))
  }

  close(): Promise<void> {
    return this.#o.single.close()
  }

  async #explained<T>(asking: Promise<T>): Promise<T> {
    try {
      return await asking
    } catch (error) {
      throw this.#o.explain(error)
    }
  }
}

/** The whole, for the first time: what must agree with an earlier answer has to be asked for under its condition. */
function isWholeAndSmall({ range, expected, fresh }: FetchRequest, size: number): boolean {
  const isWhole = range === undefined || (range.start === 0 && range.end >= size)
  return size <= MOST_MEMBER && isWhole && expected === undefined && !fresh
}

async function pourAll(bytes: Uint8Array, { answered, signal }: FetchRequest): Promise<void> {
  const { length: size } = bytes
  const resource = { size, ranges: 'unproven', checksums: [] } as const
  const landing = answered({ resource, start: 0, end: size, framing: 'length' })
  signal.throwIfAborted()
  for (let at = 0; at < size && !landing.isComplete; at += PIECE) {
    await pour(landing, bytes.subarray(at, at + PIECE), signal)
    signal.throwIfAborted()
  }
}
