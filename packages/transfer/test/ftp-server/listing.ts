import type { FtpBehaviour } from './behaviour.ts'
import type { Tree, TreeEntry } from './tree.ts'

export function listingOf(tree: Tree, path: string, verb: string, argument: string, behaviour: FtpBehaviour): string {
  const entries = tree.entries(path)
  if (verb === 'MLSD') {
    const self = `type=cdir;modify=20240101000000;unique=${tree.followed(path)}; ${path}`
    return [
      self,
      `type=pdir;modify=20240101000000; ..`,
      ...entries.map(entry => mlsdLine(tree, path, entry, behaviour)),
    ]
      .map(ended)
      .join('')
  }
  const isShown = ({ name }: TreeEntry) => !behaviour.hidesDots || argument.includes('a') || !name.startsWith('.')
  const shown = entries.filter(isShown)
  if (verb === 'NLST') return shown.map(({ name }) => ended(behaviour.hasNamePaths ? `${path}/${name}` : name)).join('')
  if (behaviour.style === 'dos') return shown.map(dosLine).map(ended).join('')
  const dots = argument.includes('a') ? ['.', '..'].map(name => unixLine({ name, file: undefined })) : []
  return [`total ${shown.length}`, ...dots, ...shown.map(unixLine)].map(ended).join('')
}

const ended = (line: string) => `${line}\r\n`

export const stamp = (time: number) => new Date(time).toISOString().replace(/\D/g, '').slice(0, 14)

function mlsdLine(tree: Tree, path: string, { name, file, link }: TreeEntry, { followsLinks }: FtpBehaviour): string {
  const full = path === '/' ? `/${name}` : `${path}/${name}`
  if (link !== undefined && !followsLinks) return `type=OS.unix=slink:${link};unique=l${name}; ${name}`
  if (!file) return `Type=dir;Modify=20240101000000;Unique=${tree.followed(full)}; ${name}`
  return `type=file;size=${file.content.length};modify=${stamp(file.time)};unique=${full}; ${name}`
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'

function unixLine({ name, file, link }: TreeEntry): string {
  const date = new Date(file?.time ?? 0)
  const month = MONTHS.slice(date.getUTCMonth() * 3, date.getUTCMonth() * 3 + 3)
  const isRecent = Math.abs(Date.now() - date.getTime()) < 180 * 86_400_000
  const clock = date.toISOString().slice(11, 16)
  const when = `${month} ${String(date.getUTCDate()).padStart(2)} ${isRecent ? clock : ` ${date.getUTCFullYear()}`}`
  if (link !== undefined) return `lrwxrwxrwx    1 ftp      ftp             7 ${when} ${name} -> ${link}`
  const size = String(file?.content.length ?? 4096).padStart(12)
  return `${file ? '-rw-r--r--' : 'drwxr-xr-x'}    1 ftp      ftp  ${size} ${when} ${name}`
}

function dosLine({ name, file }: TreeEntry): string {
  const date = new Date(file?.time ?? 0)
  const two = (value: number) => String(value).padStart(2, '0')
  const hour = date.getUTCHours()
  const clock = `${two(hour % 12 || 12)}:${two(date.getUTCMinutes())}${hour < 12 ? 'AM' : 'PM'}`
  const day = `${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}-${two(date.getUTCFullYear() % 100)}`
  const size = file ? String(file.content.length).padStart(20) : '       <DIR>        '
  return `${day}  ${clock} ${size} ${name}`
}
