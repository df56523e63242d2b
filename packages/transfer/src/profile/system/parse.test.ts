import { describe, expect, test } from 'vitest'
import { parseCpu } from './parse-cpu.ts'
import { isLayer, parseDisks } from './parse-disks.ts'
import { parseAvailable } from './parse-meminfo.ts'
import { parseNetwork } from './parse-network.ts'
import { parseChildren, parseCpuMs, parsePageSize, parseResidentPages } from './parse-process.ts'

describe('/proc/stat', () => {
  const recorded = `cpu  2960134 26 1490714 5047795 113844 0 90939 8256 1000 5
cpu0 1451979 8 691644 2646873 25247 0 35887 4161 1000 5
cpu1 1508154 18 799069 2400921 88596 0 55051 4095 0 0
intr 144358432 0 0
ctxt 1
`
  test('waiting for the disk is idle, and guests are counted once', () => {
    const { all, cores } = parseCpu(recorded)!
    expect(all).toEqual({ busy: 2960134 + 26 + 1490714 + 90939 + 8256, total: 9711708 })
    expect(cores).toHaveLength(2)
    expect(cores[1]!.total - cores[1]!.busy).toBe(2400921 + 88596)
  })

  test('an old kernel tells four figures; a core may be missing', () => {
    expect(parseCpu('cpu  1 2 3 4\ncpu3 1 2 3 4')).toEqual({
      all: { busy: 6, total: 10 },
      cores: [{ busy: 6, total: 10 }],
    })
  })

  test.each(['', 'intr 5\n', 'cpu\n', 'cpu a b c d\n', 'cpu0 1 2 3 4\n'])('%j tells nothing', text => {
    expect(parseCpu(text)).toBeUndefined()
  })
})

describe('/proc/meminfo', () => {
  test('what programs could still have', () => {
    expect(parseAvailable('MemTotal:       24684092 kB\nMemFree:        1 kB\nMemAvailable:   24049744 kB\n')).toBe(
      24049744 * 1024,
    )
  })

  test('of kernels that do not say it: free, buffers and cache', () => {
    expect(parseAvailable('MemFree:  10 kB\nBuffers: 2 kB\nCached: 3 kB\nSwapCached: 100 kB\n')).toBe(15 * 1024)
    expect(parseAvailable('nothing here')).toBeUndefined()
  })
})

describe('/proc/net/dev', () => {
  const head = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`
  test('all interfaces together, loopback and aliases included', () => {
    const text = `${head}    lo:  100    1    0    0    0     0          0         0  100    1    0    0    0     0       0          0
  eth0:2727349479   76072    0    0    0     0          0         0  5763063   50075    0    0    0     0       0          0
eth0:1:  7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0
`
    expect(parseNetwork(text)).toEqual({ receivedBytes: 2727349479 + 107, sentBytes: 5763063 + 108 })
  })

  test('no interface at all tells nothing', () => {
    expect(parseNetwork(head)).toBeUndefined()
    expect(parseNetwork('')).toBeUndefined()
  })
})

describe('/proc/diskstats', () => {
  const recorded = `   7       0 loop0 5 0 8 0 5 0 8 0 0 0 0 0 0 0 0 0 0
 254       0 vda 6899043 1023761 1329811338 7501408 9212919 18446995 3355773704 19057839 0 3101964 27779616 14815270
 254       1 vda1 100 0 200 0 300 0 400 0 0 0 0
   8       0 sda 1 0 2 0 3 0 4 0 0 0 0
 253       0 dm-0 50 0 60 0 70 0 80 0 0 0 0
`
  const isDisk = (name: string) => !isLayer(name) && !/\d$/.test(name)

  test('whole disks together: neither their partitions nor the layers above count again', () => {
    expect(parseDisks(recorded, isDisk)).toEqual({
      readBytes: (1329811338 + 2) * 512,
      writtenBytes: (3355773704 + 4) * 512,
      operations: 6899043 + 9212919 + 1 + 3,
    })
  })

  test('a machine without disks has done nothing; an empty file tells nothing', () => {
    expect(parseDisks('   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n', isDisk)).toEqual({
      readBytes: 0,
      writtenBytes: 0,
      operations: 0,
    })
    expect(parseDisks('', isDisk)).toBeUndefined()
  })

  test('layers are known by their names', () => {
    const names = ['loop0', 'ram1', 'zram0', 'dm-3', 'md127', 'sda', 'nvme0n1', 'vda', 'mmcblk0', 'cciss/c0d0']
    expect(names.filter(isLayer)).toEqual(['loop0', 'ram1', 'zram0', 'dm-3', 'md127'])
  })
})

describe('/proc/PID', () => {
  test('statm: resident pages', () => {
    expect(parseResidentPages('765 422 393 5 0 123 0\n')).toBe(422)
    // Of a process that is over but was not waited for.
    expect(parseResidentPages('0 0 0 0 0 0 0\n')).toBe(0)
    expect(parseResidentPages('')).toBeUndefined()
  })

  test('stat: user and system time, whatever the process calls itself', () => {
    const rest = 'R 8510 8510 32081 0 -1 4194304 102 0 0 0 150 25 7 9 20 0 1 0 4908732 3133440 388'
    expect(parseCpuMs(`8519 (cat) ${rest}`)).toBe(1750)
    expect(parseCpuMs(`8519 (a) R 1 (b c) ${rest}`)).toBe(1750)
    expect(parseCpuMs('')).toBeUndefined()
  })

  test('children: none, one, several', () => {
    expect(['', '8509 ', '1 22 333 \n'].map(parseChildren)).toEqual([[], [8509], [1, 22, 333]])
  })

  test('auxv: the size of a page', () => {
    const auxv = Buffer.from(new BigUint64Array([33n, 1n, 6n, 65_536n, 0n, 0n]).buffer)
    expect(parsePageSize(auxv)).toBe(65_536)
    expect(parsePageSize(auxv.subarray(0, 24))).toBeUndefined()
  })
})
