import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { openLinux } from './linux.ts'
import { readPortable } from './portable.ts'
import { openProcFile } from './proc-file.ts'
import { openProcessTree } from './process-tree.ts'

const onLinux = test.runIf(process.platform === 'linux')

/** A process with a child of its own; says when both are there. */
async function family() {
  const program = `
    const { spawn } = require('node:child_process')
    const child = spawn(process.execPath, ['-e', 'process.stdout.write("x"); setInterval(() => {}, 1e6)'])
    child.stdout.once('data', () => process.stdout.write(String(child.pid)))
    process.stdin.once('end', () => { child.kill(); child.once('exit', () => process.exit()) }).resume()`
  const parent = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void parent.stdin.end())
  const [grandchild] = await once(parent.stdout, 'data')
  const exited = once(parent, 'exit')
  return {
    ids: [parent.pid!, Number(grandchild)],
    end: () => {
      parent.stdin.end()
      return exited
    },
  }
}

const openFiles = () => readdirSync('/proc/self/fd').length

onLinux('a process tree knows the descendants as they come and go, and adds up what they hold', async () => {
  const before = openFiles()
  const tree = openProcessTree(process.pid)!
  const alone = tree.read()!
  const { ids, end } = await family()
  const together = tree.read()!
  expect(together.count).toBe(alone.count! + 2)
  expect([...together.descendantsCpuMs.keys()]).toEqual(expect.arrayContaining(ids))
  // Two more Nodes; how much is shared or swapped is not ours to say.
  expect(together.residentBytes).toBeGreaterThan(alone.residentBytes + 20e6)
  await end()
  expect(tree.read()!.count).toBe(alone.count)
  tree.close()
  expect(openFiles()).toBe(before)
})

onLinux('a process that is not there has no tree', () => {
  expect(openProcessTree(2 ** 22 + 1)).toBeUndefined()
  expect(openProcFile('/proc/nothing')).toBeUndefined()
})

onLinux('the counters of Linux only grow, and agree with what Node knows', () => {
  const system = openLinux()
  onTestFinished(() => system.close())
  const first = system.read()
  const second = system.read()
  const portable = readPortable()
  expect(second.cpu!.all.total).toBeGreaterThanOrEqual(first.cpu!.all.total)
  expect(second.cpu!.cores.length).toBe(portable.cpu!.cores.length)
  expect(second.network!.receivedBytes).toBeGreaterThanOrEqual(first.network!.receivedBytes)
  expect(second.processes!.count).toBeGreaterThanOrEqual(1)
  const ratio = second.processes!.residentBytes / portable.processes!.residentBytes
  expect(ratio).toBeGreaterThan(0.5)
  expect(second.availableBytes! / portable.availableBytes!).toBeGreaterThan(0.5)
})

onLinux('a file of /proc that is longer than the buffer is read whole', () => {
  const file = openProcFile('/proc/kallsyms') ?? openProcFile('/proc/self/smaps')!
  onTestFinished(() => file.close())
  const text = file.read()!
  expect(text.length).toBeGreaterThan(16_384)
  expect(text.endsWith('\n')).toBe(true)
})

test('the portable reader says what it does not know', () => {
  const { cpu, network, disks, processes } = readPortable()
  expect(cpu!.all.busy).toBeLessThanOrEqual(cpu!.all.total)
  expect([network, disks, processes!.count]).toEqual([undefined, undefined, undefined])
  expect(processes!.residentBytes).toBeGreaterThan(0)
})
