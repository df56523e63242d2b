/** What has crossed the link, by the kernel's own counters. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Bytes of frames that a device of this process's namespace has sent; those that were lost in its queue do not count. */
export function sentBy(device: string): number {
  const line = readFileSync('/proc/net/dev', 'utf8')
    .split('\n')
    .find(one => one.trim().startsWith(`${device}:`))
  return Number(line?.split(':')[1]?.trim().split(/\s+/)[8])
}

/** Of an IPv4 packet of TCP with timestamps. */
const HEADERS = 52

/** Bytes of TCP payload that have arrived in a namespace, those that came twice as often. */
export function payloadArrived(namespace: string): number {
  const text = execFileSync('ip', ['netns', 'exec', namespace, 'cat', '/proc/net/snmp', '/proc/net/netstat'], {
    encoding: 'utf8',
  })
  return counter(text, 'IpExt', 'InOctets') - HEADERS * counter(text, 'Ip', 'InReceives')
}

function counter(text: string, group: string, name: string): number {
  const [names = [], values = []] = text
    .split('\n')
    .filter(line => line.startsWith(`${group}: `))
    .map(line => line.split(' '))
  return Number(values[names.indexOf(name)])
}
