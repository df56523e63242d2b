/** What a person who types a command sees: the program really runs, on a terminal of its own. Needs `script` (util-linux). */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { nodePath, programPath } from '../../e2e/program.ts'
import { Screen, type Span } from './terminal-screen.ts'

export const columns = 80

export interface Scene {
  /** As typed; begins with `arriero`. */
  readonly command: string
  /** Press Ctrl-C when the screen matches, and show the screen of that moment too. */
  readonly interruptAt?: RegExp
  /** Show the screen of this moment before the last one. */
  readonly lookAt?: RegExp
}

export interface Place {
  readonly directory: string
  /** Added to the caller's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** The prompt with what is typed, and what stands on the screen in the end. */
export async function playScene({ command, interruptAt, lookAt }: Scene, place: Place): Promise<Span[][]> {
  const moments: Span[][] = []
  const wanted = interruptAt ?? lookAt
  const { child, screen } = typeIn(command, place, rows => {
    if (moments.length > 0 || !wanted?.test(textOf(rows))) return
    moments.push(...rows)
    if (interruptAt) child.stdin?.write('\x03')
  })
  await Promise.race([new Promise(resolve => child.on('close', resolve)), sleep(60_000, undefined, { ref: false })])
  child.kill()
  return [...typed(command), ...moments, ...screen.rows()]
}

export interface RunningScene {
  /** The prompt with what was typed, and what stands on the screen now. */
  rows(): Span[][]
  /** By Ctrl-C. */
  end(): Promise<void>
}

/**
 * A program that goes on while others are run.
 *
 * @param until of the screen, where it is to be left alone
 * @throws where it ends before that
 */
export async function startScene(command: string, until: RegExp, place: Place): Promise<RunningScene> {
  const ready = Promise.withResolvers<void>()
  const { child, screen } = typeIn(command, place, rows => until.test(textOf(rows)) && ready.resolve())
  const ended = new Promise<void>(resolve => child.on('close', () => resolve()))
  void ended.then(() => ready.reject(new Error(`It has ended: ${textOf(screen.rows())}`)))
  await ready.promise
  return {
    rows: () => [...typed(command), ...screen.rows()],
    async end() {
      child.stdin?.write('\x03')
      await Promise.race([ended, sleep(30_000, undefined, { ref: false })])
      child.kill()
    },
  }
}

function typeIn(
  command: string,
  { directory, env }: Place,
  onChange: (rows: Span[][]) => void,
): { child: ChildProcess; screen: Screen } {
  const program = `${quoted(nodePath)} ${quoted(programPath)}${command.slice('arriero'.length)}`
  const child = spawn('script', ['-qfec', `stty cols ${columns} rows 24; exec ${program}`, '/dev/null'], {
    cwd: directory,
    env: { ...process.env, TERM: 'xterm', NO_COLOR: undefined, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const screen = new Screen(columns)
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen.write(text)
    onChange(screen.rows())
  })
  return { child, screen }
}

export function textOf(rows: readonly (readonly Span[])[]): string {
  return rows.map(row => row.map(span => span.text).join('')).join('\n')
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`
}

/** The prompt and what was typed, wrapped as a terminal does. */
export function typed(command: string): Span[][] {
  const text = `$ ${command}`
  const rows: Span[][] = []
  for (let at = 0; at < text.length; at += columns) {
    rows.push([{ text: text.slice(at, at + columns), colour: 36, isDim: false }])
  }
  return rows
}
