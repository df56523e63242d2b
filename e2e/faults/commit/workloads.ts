/** What a librarian is disturbed in: ways to bring files and trees, each small enough to be done a thousand times. */
import {
  type Content,
  type Door,
  type Sending,
  sendBatch,
  sendByCopy,
  sendByTus,
  sendFromTrash,
  sendInPlace,
  sendToTrash,
  type Told,
  type Upload,
} from './client.ts'

export interface CommitWorkload {
  readonly name: string
  /** The server has just started: what it does only once is among its calls. */
  readonly isFirst: boolean
  /** One request commits everything, and its answer is the last one. */
  readonly hasOneAnswer: boolean
  /** Several want one name, each with bytes of its own: one gets it (reliability A4). */
  readonly isContested?: boolean
  /** The bytes lie in the store before anybody is asked. */
  readonly isInPlace?: boolean
  /** Whoever does it tries again by itself: nobody is told that it has failed. */
  readonly isByItself?: boolean
  /** Copies that are there are moved, or repaired, instead of uploads. */
  readonly moves?: { readonly to: 'in place' | 'in the trash'; takes(sending: Sending): boolean }
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
    send: together(sendByCopy),
  },
  {
    name: 'rivals',
    isFirst: false,
    hasOneAnswer: false,
    isContested: true,
    uploadsOf: prefix => rivalsOf(fileOf(prefix), fileOf(`${prefix}-other`)),
    send: together(sendByCopy),
  },
  {
    name: 'rival-trees',
    isFirst: false,
    hasOneAnswer: false,
    isContested: true,
    uploadsOf: prefix => rivalsOf(treeOf(prefix), treeOf(`${prefix}-other`)),
    send: together(sendByCopy),
  },
  {
    name: 'adopt',
    isFirst: false,
    hasOneAnswer: false,
    isInPlace: true,
    uploadsOf: prefix => [fileOf(prefix)],
    send: inTurn(sendInPlace),
  },
  {
    name: 'adopt-tree',
    isFirst: false,
    hasOneAnswer: false,
    isInPlace: true,
    uploadsOf: prefix => [treeOf(prefix)],
    send: inTurn(sendInPlace),
  },
]

/** Every way in which a copy goes, or comes back. What is purged goes at a start (`purge.ts`). */
export const moveWorkloads: readonly CommitWorkload[] = [
  moving('trash', 'in the trash', false),
  moving('trash-tree', 'in the trash', true),
  moving('restore', 'in place', false),
  moving('restore-tree', 'in place', true),
]

function moving(name: string, to: 'in place' | 'in the trash', isTree: boolean): CommitWorkload {
  const takes = ({ upload, copy }: Sending) =>
    upload.content instanceof Uint8Array !== isTree && (copy?.trashId !== undefined) === (to === 'in place')
  return {
    name,
    isFirst: false,
    hasOneAnswer: false,
    moves: { to, takes },
    uploadsOf: () => [],
    send: inTurn(to === 'in place' ? sendFromTrash : sendToTrash),
  }
}

function together(send: (door: Door, sending: Sending) => Promise<Told>): CommitWorkload['send'] {
  return (door, sendings) => Promise.all(sendings.map(sending => send(door, sending)))
}

/** Two have the same bytes. */
function rivalsOf(upload: Upload, other: Upload): Upload[] {
  return [upload, { ...other, name: upload.name }, upload]
}

export function inTurn(send: (door: Door, sending: Sending) => Promise<Told>): CommitWorkload['send'] {
  return async (door, sendings) => {
    const told: Told[] = []
    for (const sending of sendings) told.push(await send(door, sending))
    return told
  }
}

export function fileOf(prefix: string): Upload {
  return { name: `${prefix}/night/1.fits`, content: bytesOf(prefix, 10_000, 3) }
}

export function treeOf(prefix: string): Upload {
  const content: Content = new Map<string, Uint8Array | null>([
    ['a.txt', bytesOf(prefix, 300, 1)],
    ['sub/b.bin', bytesOf(prefix, 70_000, 2)],
    ['empty', null],
  ])
  return { name: `${prefix}/night/run`, content }
}

export function fewOf(prefix: string): Upload[] {
  return [
    { name: `${prefix}/x`, content: bytesOf(prefix, 10, 4) },
    { name: `${prefix}/deep/er/y`, content: bytesOf(prefix, 0, 5) },
    { name: `${prefix}/deep/er/z`, content: bytesOf(prefix, 2000, 6) },
  ]
}

export function bytesOf(prefix: string, length: number, seed: number): Uint8Array {
  return new Uint8Array(Buffer.alloc(length, `${prefix}-${seed}-`))
}
