/** Two network namespaces with a link of 50 Mbit/s between them, for as long as something is measured. */
import { execFileSync } from 'node:child_process'

export interface Namespaces extends Disposable {
  readonly sender: string
  readonly receiver: string
}

/** Bits per second, of Ethernet frames. */
export const LINK_RATE = 50e6
/** What TCP can carry of it: frames of 1514 bytes have 1448 of payload. */
export const LINK_GOODPUT = (LINK_RATE * 1448) / 1514

export const addresses = { sender: '10.99.0.1', receiver: '10.99.0.2' } as const
const hardware = { sender: '02:00:00:00:00:0a', receiver: '02:00:00:00:00:0b' } as const
const devices = { sender: 'sender', receiver: 'receiver' } as const

/** The one that `setLink` switches, and whose queue is the link's. */
export const senderDevice = devices.sender

/** Why there can be none here; undefined: there can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'there are network namespaces on Linux only'
  if (process.getuid?.() !== 0) return 'network namespaces are made by root'
  const probe = `arriero-probe-${process.pid}`
  try {
    ip('netns', 'add', probe)
    execFileSync('ip', ['netns', 'exec', probe, 'tc', 'qdisc', 'show'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1)
  } finally {
    quietly(() => ip('netns', 'del', probe))
  }
}

export function openNamespaces(): Namespaces {
  const sender = `arriero-link-${process.pid}-a`
  const receiver = `arriero-link-${process.pid}-b`
  const namespaces = { sender, receiver, [Symbol.dispose]: () => [sender, receiver].forEach(remove) }
  try {
    ip('netns', 'add', sender)
    ip('netns', 'add', receiver)
    ip(
      '-n',
      sender,
      'link',
      'add',
      devices.sender,
      'address',
      hardware.sender,
      'type',
      'veth',
      'peer',
      'name',
      devices.receiver,
      'address',
      hardware.receiver,
      'netns',
      receiver,
    )
    prepare(sender, 'sender')
    prepare(receiver, 'receiver')
    const shape = ['root', 'tbf', 'rate', `${LINK_RATE}`, 'burst', '32k', 'latency', '50ms']
    execFileSync('ip', ['netns', 'exec', sender, 'tc', 'qdisc', 'add', 'dev', devices.sender, ...shape], {
      stdio: 'pipe',
    })
    for (const side of ['sender', 'receiver'] as const) knowNeighbour(namespaces[side], side)
    return namespaces
  } catch (error) {
    namespaces[Symbol.dispose]()
    throw error
  }
}

function prepare(namespace: string, side: 'sender' | 'receiver'): void {
  ip('-n', namespace, 'link', 'set', 'lo', 'up')
  ip('-n', namespace, 'addr', 'add', `${addresses[side]}/24`, 'dev', devices[side])
  ip('-n', namespace, 'link', 'set', devices[side], 'up')
}

/** Between sites there are routers, which do not forget each other's hardware when a link is cut far away. */
function knowNeighbour(namespace: string, side: 'sender' | 'receiver'): void {
  const other = side === 'sender' ? 'receiver' : 'sender'
  const entry = [addresses[other], 'lladdr', hardware[other], 'dev', devices[side], 'nud', 'permanent']
  ip('-n', namespace, 'neigh', 'replace', ...entry)
}

/** Cuts the link, or joins it. */
export function setLink(sender: string, isUp: boolean): void {
  ip('-n', sender, 'link', 'set', devices.sender, isUp ? 'up' : 'down')
  if (isUp) knowNeighbour(sender, 'sender')
}

/** With all that still runs in it. */
function remove(namespace: string): void {
  quietly(() => {
    const running = execFileSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8', stdio: 'pipe' })
    for (const pid of running.split('\n').filter(Boolean)) quietly(() => process.kill(Number(pid), 'SIGKILL'))
  })
  quietly(() => ip('netns', 'del', namespace))
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' })
}

function quietly(act: () => void): void {
  try {
    act()
  } catch {
    // It is gone already, or was never there.
  }
}
