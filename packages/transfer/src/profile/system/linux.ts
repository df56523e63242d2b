/** The counters of Linux, from /proc. What is not there (some containers hide a part) is left to the portable reader. */
import { existsSync } from 'node:fs'
import type { SystemReader } from './counters.ts'
import { parseCpu } from './parse-cpu.ts'
import { isLayer, parseDisks } from './parse-disks.ts'
import { parseAvailable } from './parse-meminfo.ts'
import { parseNetwork } from './parse-network.ts'
import { readPortable } from './portable.ts'
import { openProcFile } from './proc-file.ts'
import { openProcessTree } from './process-tree.ts'

/** @param pid the process whose descendants count, too */
export function openLinux(pid = process.pid): SystemReader {
  const stat = openProcFile('/proc/stat')
  const memory = openProcFile('/proc/meminfo')
  const network = openProcFile('/proc/net/dev')
  const diskstats = openProcFile('/proc/diskstats')
  const tree = openProcessTree(pid)
  const isDisk = rememberDisks()

  return {
    read() {
      const cpu = parsed(stat?.read(), parseCpu)
      const availableBytes = parsed(memory?.read(), parseAvailable)
      const processes = tree?.read()
      const portable = cpu && availableBytes !== undefined && processes ? undefined : readPortable()
      return {
        cpu: cpu ?? portable?.cpu,
        availableBytes: availableBytes ?? portable?.availableBytes,
        network: parsed(network?.read(), parseNetwork),
        disks: parsed(diskstats?.read(), text => parseDisks(text, isDisk)),
        processes: processes ?? portable?.processes,
      }
    },
    close() {
      for (const file of [stat, memory, network, diskstats, tree]) file?.close()
    },
  }
}

function parsed<T>(text: string | undefined, parse: (text: string) => T): T | undefined {
  return text === undefined ? undefined : parse(text)
}

/** Whole disks are those below /sys/block, partitions are not; asked once for each name. */
function rememberDisks(): (name: string) => boolean {
  const known = new Map<string, boolean>()
  return name => {
    let isDisk = known.get(name)
    if (isDisk === undefined) {
      isDisk = !isLayer(name) && existsSync(`/sys/block/${name.replaceAll('/', '!')}`)
      known.set(name, isDisk)
    }
    return isDisk
  }
}
