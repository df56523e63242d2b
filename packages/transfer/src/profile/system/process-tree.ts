/** A process and its descendants, followed through what each thread says of its own children: /proc is never listed. */
import { readdirSync, readFileSync } from 'node:fs'
import type { ProcessCounters } from './counters.ts'
import { parseChildren, parseCpuMs, parsePageSize, parseResidentPages } from './parse-process.ts'
import { openProcFile, type ProcFile } from './proc-file.ts'

/** Readings between two looks at which threads there are: a child of a new thread is found that much later. */
const threadsEvery = 10

export interface ProcessTree {
  read(): ProcessCounters | undefined
  close(): void
}

export function openProcessTree(pid: number): ProcessTree | undefined {
  const pageSize = pageSizeHere()
  const root = openProcess(pid)
  if (pageSize === undefined || !root) return undefined
  const known = new Map<number, ProcessFiles>([[pid, root]])

  /** Opens what is new; false when it is gone already, or is not ours to read. */
  const meet = (child: number) => {
    const files = known.get(child) ?? openProcess(child)
    if (files) known.set(child, files)
    return files
  }

  return {
    read() {
      const seen = new Set<number>()
      const cpu = new Map<number, number>()
      let pages = 0
      const visit = (id: number, files: ProcessFiles) => {
        const now = files.read(id !== pid)
        if (!now || seen.has(id)) return
        seen.add(id)
        pages += now.pages
        if (now.cpuMs !== undefined) cpu.set(id, now.cpuMs)
        for (const child of now.children) {
          const childFiles = meet(child)
          if (childFiles) visit(child, childFiles)
        }
      }
      visit(pid, root)
      for (const [id, files] of known) {
        if (seen.has(id) || id === pid) continue
        files.close()
        known.delete(id)
      }
      if (seen.size === 0) return undefined
      return {
        residentBytes: pages * pageSize,
        count: root.knowsChildren ? seen.size : undefined,
        descendantsCpuMs: cpu,
      }
    },
    close() {
      for (const files of known.values()) files.close()
      known.clear()
    },
  }
}

interface ProcessFiles {
  /** False where the kernel was built without it. */
  readonly knowsChildren: boolean
  read(withCpu: boolean): { pages: number; cpuMs: number | undefined; children: number[] } | undefined
  close(): void
}

function openProcess(pid: number): ProcessFiles | undefined {
  const statm = openProcFile(`/proc/${pid}/statm`)
  const stat = openProcFile(`/proc/${pid}/stat`)
  if (!statm || !stat) {
    statm?.close()
    stat?.close()
    return undefined
  }
  const threads = new Map<string, ProcFile>()
  let readings = 0
  const knowsChildren = lookForThreads(pid, threads)
  return {
    knowsChildren,
    read(withCpu) {
      const resident = statm.read()
      const pages = resident === undefined ? undefined : parseResidentPages(resident)
      if (pages === undefined) return undefined
      if (knowsChildren && ++readings % threadsEvery === 0) lookForThreads(pid, threads)
      const used = withCpu ? stat.read() : undefined
      return { pages, cpuMs: used === undefined ? undefined : parseCpuMs(used), children: childrenOf(threads) }
    },
    close() {
      for (const file of [statm, stat, ...threads.values()]) file.close()
      threads.clear()
    },
  }
}

/** Opens the children's file of each thread that is new; false where there are no such files. */
function lookForThreads(pid: number, threads: Map<string, ProcFile>): boolean {
  let names: string[]
  try {
    names = readdirSync(`/proc/${pid}/task`)
  } catch {
    return threads.size > 0
  }
  for (const name of names) {
    const file = threads.has(name) ? undefined : openProcFile(`/proc/${pid}/task/${name}/children`)
    if (file) threads.set(name, file)
  }
  return threads.size > 0
}

function childrenOf(threads: Map<string, ProcFile>): number[] {
  const children: number[] = []
  for (const [name, file] of threads) {
    const text = file.read()
    if (text !== undefined) {
      if (text !== '') children.push(...parseChildren(text))
      continue
    }
    file.close()
    threads.delete(name)
  }
  return children
}

function pageSizeHere(): number | undefined {
  try {
    return parsePageSize(readFileSync('/proc/self/auxv'))
  } catch {
    return undefined
  }
}
