/**
 * A process as a container has it: the first of its own process namespace, under a read-only root, as a user who is not root where we
 * may choose that. Only the places that are named can be written.
 */
import { execFileSync } from 'node:child_process'

export interface Confined {
  /** What to put before a command. */
  readonly prefix: readonly string[]
  readonly isFirst: boolean
}

/** Of the image. */
const user = 10001

/** Undefined where this machine does not let us; the reason is printed, so that nobody takes it for a pass. */
export function confine(claim: string, writable: readonly string[]): Confined | undefined {
  const isRoot = process.getuid?.() === 0
  const enter = [
    'unshare',
    ...(isRoot ? [] : ['--user', '--map-root-user']),
    ...['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'],
  ]
  // Each place stays a mount of its own, which the last line does not touch.
  const lines = [
    'set -e',
    ...writable.map(path => `mount --bind '${path}' '${path}'`),
    `for place in $(awk '{ print $2 }' /proc/mounts | grep -v -e '^/proc' -e '^/sys' -e '^/dev'); do`,
    `  case "$place" in ${writable.map(path => `'${path}'`).join('|')}) continue ;; esac`,
    '  mount -o remount,bind,ro "$place" || { [ "$place" != / ] || exit 1; }',
    'done',
    isRoot ? `exec setpriv --reuid ${user} --regid ${user} --clear-groups --no-new-privs -- "$@"` : 'exec "$@"',
  ]
  const prefix = [...enter, 'sh', '-c', lines.join('\n'), 'sh']
  try {
    execFileSync(prefix[0]!, [...prefix.slice(1), 'true'], { stdio: 'pipe' })
    return { prefix, isFirst: true }
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer }
    console.log(`NOT RUN ${claim}: no namespaces here (${stderr?.toString().trim() || String(error)})`)
    return undefined
  }
}

/** Gives places to the user of the image, where we may. */
export function giveAway(...paths: string[]): void {
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', `${user}:${user}`, ...paths])
}
