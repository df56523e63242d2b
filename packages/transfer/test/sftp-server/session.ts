import ssh2, { type SFTPWrapper } from 'ssh2'
import type { Behaviour, ReadFault } from './behaviour.ts'
import type { Tree, TreeFile } from './tree.ts'

const { STATUS_CODE } = ssh2.utils.sftp
const NAMES_AT_ONCE = 100

interface Open {
  readonly path: string
  /** Names not yet told, if it is a directory. */
  names?: string[]
}

export interface SftpSessionOptions {
  readonly tree: Tree
  readonly behaviour: Behaviour
  readonly connection: number
  readonly home: string
  nextRead(): number
  cut(): void
}

/** Serves a tree over one channel, as SFTP 3 demands or as it is scripted. */
export function serveSftp(sftp: SFTPWrapper, options: SftpSessionOptions): void {
  const { tree, behaviour, connection, home, cut } = options
  const open = new Map<number, Open>()
  let isSilent = false
  let lastHandle = 0
  const full = (path: string) => {
    const absolute = path.startsWith('/') ? path : path === '.' ? home : `${home}/${path}`
    return absolute.length > 1 ? absolute.replace(/\/+$/, '') || '/' : absolute
  }
  const answer = (give: () => void) => {
    const reply = () => {
      if (!isSilent) give()
    }
    if (behaviour.delayMs) setTimeout(reply, behaviour.delayMs)
    else reply()
  }
  const openNew = (one: Open): Buffer => {
    const handle = Buffer.alloc(4)
    handle.writeUInt32BE(++lastHandle)
    open.set(lastHandle, one)
    return handle
  }
  const opened = (handle: Buffer) => open.get(handle.readUInt32BE(0))
  const status = (id: number, code: number) => answer(() => sftp.status(id, code))
  const attributes = (id: number, found: TreeFile | 'directory' | undefined) =>
    found ? answer(() => sftp.attrs(id, attributesOf(found))) : status(id, STATUS_CODE.NO_SUCH_FILE)

  sftp.on('OPEN', (id, name) => {
    const path = full(name)
    if (path.endsWith('.secret')) return status(id, STATUS_CODE.PERMISSION_DENIED)
    if (!tree.follow(path)) return status(id, STATUS_CODE.NO_SUCH_FILE)
    answer(() => sftp.handle(id, openNew({ path })))
  })
  sftp.on('OPENDIR', (id, name) => {
    const path = full(name)
    if (behaviour.failingLists && behaviour.failingLists-- > 0) return status(id, STATUS_CODE.FAILURE)
    if (path.endsWith('.secret')) return status(id, STATUS_CODE.PERMISSION_DENIED)
    if (tree.follow(path) !== 'directory') return status(id, STATUS_CODE.NO_SUCH_FILE)
    answer(() => sftp.handle(id, openNew({ path, names: ['.', '..', ...tree.namesIn(path)] })))
  })
  sftp.on('READDIR', (id, handle) => {
    const { path, names = [] } = opened(handle) ?? { path: '' }
    const batch = names.splice(0, NAMES_AT_ONCE)
    if (batch.length === 0) return status(id, STATUS_CODE.EOF)
    const described = batch.map(filename => {
      const found = filename.startsWith('.')
        ? 'directory'
        : (tree.at(`${path === '/' ? '' : path}/${filename}`) ?? 'directory')
      return { filename, longname: filename, attrs: attributesOf(found) }
    })
    answer(() => sftp.name(id, described))
  })
  sftp.on('CLOSE', (id, handle) => {
    open.delete(handle.readUInt32BE(0))
    status(id, STATUS_CODE.OK)
  })
  sftp.on('STAT', (id, name) => attributes(id, tree.follow(full(name))))
  sftp.on('LSTAT', (id, name) => attributes(id, tree.at(full(name))))
  sftp.on('FSTAT', (id, handle) => attributes(id, tree.follow(opened(handle)?.path ?? '')))
  sftp.on('REALPATH', (id, name) => {
    const path = full(name)
    answer(() => sftp.name(id, [{ filename: path, longname: path, attrs: attributesOf('directory') }]))
  })
  sftp.on('READ', (id, handle, offset, length) => {
    const path = opened(handle)?.path
    if (isSilent) return
    if (path === undefined) return status(id, STATUS_CODE.FAILURE)
    const fault = behaviour.onRead?.({ path, offset, length, connection, count: options.nextRead() })
    if (fault?.is === 'cut') return cut()
    if (fault?.is === 'silent') isSilent = true
    const found = tree.follow(path)
    const content = typeof found === 'object' ? found.content : new Uint8Array()
    const give = () => sendRead(sftp, id, pieceOf(content, offset, length, fault))
    if (fault?.is === 'status') status(id, fault.status)
    else if (fault?.is === 'late') setTimeout(() => isSilent || give(), fault.ms)
    else answer(give)
  })
}

function pieceOf(content: Uint8Array, offset: number, length: number, fault: ReadFault | undefined): Uint8Array {
  if (fault?.is === 'eof') return new Uint8Array()
  if (fault?.is === 'too long') return content.subarray(offset, offset + length + 1)
  const most = fault?.is === 'short' ? Math.min(length, fault.length) : length
  return content.subarray(offset, offset + most)
}

function sendRead(sftp: SFTPWrapper, id: number, piece: Uint8Array): void {
  if (piece.length === 0) sftp.status(id, STATUS_CODE.EOF)
  else sftp.data(id, Buffer.from(piece.buffer, piece.byteOffset, piece.length))
}

function attributesOf(found: TreeFile | 'directory') {
  const common = { uid: 0, gid: 0 }
  if (found === 'directory') return { ...common, mode: 0o040755, size: 4096, atime: 0, mtime: 0 }
  const mode = found.target === undefined ? 0o100644 : 0o120777
  return { ...common, mode, size: found.content.length, atime: found.mtime, mtime: found.mtime }
}
