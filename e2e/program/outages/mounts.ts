/**
 * Small disks for one test: tmpfs in a user and mount namespace of its own, so that no rights are needed and nothing is left when
 * it ends (reliability 4 D). They can be filled, taken away, put back and made read-only while programs run on them.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Mounts {
  /** What to put before a command for it to see these disks. */
  readonly prefix: readonly string[]
  /** Of a path as programs in there see it, for us outside. */
  seen(path: string): string
  /** @param options of `mount -o`, as `size=4m` */
  mount(path: string, options: string): void
  /** At once, whoever uses it: a disk that is pulled. It is kept at `aside`, as a disk in a drawer. */
  pull(path: string, aside: string): void
  /** Puts back what was pulled. */
  putBack(path: string, aside: string): void
  unmount(path: string): void
  remount(path: string, options: string): void
  end(): Promise<void>
}

const enter = ['unshare', '--user', '--map-root-user', '--mount', '--propagation', 'private']

/** Undefined where this machine does not let us; the reason is printed, so that nobody takes it for a pass. */
export async function openMounts(claim: string): Promise<Mounts | undefined> {
  const holder = spawn(enter[0]!, [...enter.slice(1), 'sh', '-c', 'echo ready; read line'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const why = await whyNot(holder)
  if (why === undefined) return mountsOf(holder)
  console.log(`NOT RUN ${claim}: no mount namespace here (${why})`)
  return undefined
}

async function whyNot(holder: ChildProcess): Promise<string | undefined> {
  let told = ''
  holder.stderr?.on('data', text => (told += text))
  return await Promise.race([
    once(holder.stdout!, 'data').then(() => undefined),
    once(holder, 'error').then(([error]) => String(error)),
    once(holder, 'exit').then(() => told.trim() || 'it ended'),
  ])
}

function mountsOf(holder: ChildProcess): Mounts {
  const prefix = ['nsenter', '--preserve-credentials', '--user', '--mount', '--target', String(holder.pid)]
  const run = (...command: string[]) => execFileSync(prefix[0]!, [...prefix.slice(1), ...command], { stdio: 'pipe' })
  return {
    prefix,
    seen: path => `/proc/${holder.pid}/root${path}`,
    mount: (path, options) => void run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', path),
    pull(path, aside) {
      run('mount', '--bind', path, aside)
      run('umount', '--lazy', path)
    },
    putBack(path, aside) {
      run('mount', '--bind', aside, path)
      run('umount', '--lazy', aside)
    },
    unmount: path => void run('umount', '--lazy', path),
    remount: (path, options) => void run('mount', '-o', `remount,${options}`, path),
    async end() {
      const ended = once(holder, 'exit')
      holder.stdin?.end()
      await ended
    },
  }
}
