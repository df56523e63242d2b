/** What a librarian is disturbed in: ways to bring files and trees, each small enough to be done a thousand times. */
import {
  type Content,
  type Door,
  type Sending,
  sendBatch,
  sendByCopy,
  sendByTus,
  type Told,
  type Upload,
} from './client.ts'

export interface CommitWorkload {
  readonly name: string
  /** The server has just started: what it does only once is among its calls. */
  readonly isFirst: boolean
  /** One request commits everything, and its answer is the last one. */
  readonly hasOneAnswer: boolean
  /** The same for the same prefix. */
  uploadsOf(prefix: string): readonly Upload[]
  /** Everything, to the end; or once more, after who knows what. */
  send(door: Door, sendings: readonly Sending[]): Promise<readonly Told[]>
}

/** Every way in has an entry here. */
export const commitWorkloads: readonly CommitWorkload[] = [
  { name: 'first', isFirst: true, hasOneAnswer: true, uploadsOf: prefix => [fileOf(prefix)], send: inTurn(sendByCopy) },
  { name: 'file', isFirst: false, hasOneAnswer: true, uploadsOf: prefix => [fileOf(prefix)], send: inTurn(sendByCopy) },
  { name: 'tree', isFirst: false, hasOneAnswer: true, uploadsOf: prefix => [treeOf(prefix)], send: inTurn(sendByCopy) },
  {
    name: 'batch',
    isFirst: false,
    hasOneAnswer: true,
    uploadsOf: prefix => [fileOf(prefix), treeOf(prefix), ...fewOf(prefix)],
    send: sendBatch,
  },
  { name: 'tus', isFirst: false, hasOneAnswer: true, uploadsOf: prefix => [fileOf(prefix)], send: inTurn(sendByTus) },
  {
    name: 'archive',
    isFirst: false,
    hasOneAnswer: true,
    uploadsOf: prefix => [treeOf(prefix)],
    send: inTurn(sendByTus),
  },
  {
    name: 'together',
    isFirst: false,
    hasOneAnswer: false,
    uploadsOf: fewOf,
    send: (door, sendings) => Promise.all(sendings.map(sending => sendByCopy(door, sending))),
  },
]

function inTurn(send: (door: Door, sending: Sending) => Promise<Told>): CommitWorkload['send'] {
  return async (door, sendings) => {
    const told: Told[] = []
    for (const sending of sendings) told.push(await send(door, sending))
    return told
  }
}

function fileOf(prefix: string): Upload {
  return { name: `${prefix}/night/1.fits`, content: bytesOf(prefix, 10_000, 3) }
}

function treeOf(prefix: string): Upload {
  const content: Content = new Map<string, Uint8Array | null>([
    ['a.txt', bytesOf(prefix, 300, 1)],
    ['sub/b.bin', bytesOf(prefix, 70_000, 2)],
    ['empty', null],
  ])
  return { name: `${prefix}/night/run`, content }
}

function fewOf(prefix: string): Upload[] {
  return [
    { name: `${prefix}/x`, content: bytesOf(prefix, 10, 4) },
    { name: `${prefix}/deep/er/y`, content: bytesOf(prefix, 0, 5) },
    { name: `${prefix}/deep/er/z`, content: bytesOf(prefix, 2000, 6) },
  ]
}

function bytesOf(prefix: string, length: number, seed: number): Uint8Array {
  return new Uint8Array(Buffer.alloc(length, `${prefix}-${seed}-`))
}
