import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface ProjectFile {
  /** Relative to the repository, with `/`. */
  readonly path: string
  readonly text: string
}

/** What one kind of check looked at, and what was wrong, as `path:line: …`. */
export interface Findings {
  readonly what: string
  readonly count: number
  readonly problems: readonly string[]
}

/** Every text file of the repository that is tracked, or would be. */
export async function readProject(): Promise<readonly ProjectFile[]> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const { stdout } = await promisify(execFile)('git', list, { cwd: root, maxBuffer: 1 << 26 })
  const paths = stdout.split('\0').filter(path => path !== '' && !/\.(png|ico|woff2)$/.test(path))
  const files = await Promise.all(paths.map(readOne))
  return files.filter(file => file !== undefined)
}

/** Undefined for a file that was deleted and not yet committed so. */
async function readOne(path: string): Promise<ProjectFile | undefined> {
  try {
    return { path, text: await readFile(root + path, 'utf8') }
  } catch {
    return undefined
  }
}

export function isMarkdown({ path }: ProjectFile): boolean {
  return path.endsWith('.md')
}

export function isSource({ path }: ProjectFile): boolean {
  return /\.(ts|js|sh)$/.test(path) || path === '.ci/run'
}

export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
