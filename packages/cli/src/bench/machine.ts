import { execFile } from 'node:child_process'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { promisify } from 'node:util'

/** What a reader needs to judge the numbers. Nothing that names the host or its owner. */
export interface Machine {
  cpu: string
  cores: number
  memoryBytes: number
  kernel: string
  filesystem: string
}

export async function describeMachine(directory: string): Promise<Machine> {
  const filesystem = await promisify(execFile)('df', ['--output=fstype', directory]).then(
    ({ stdout }) => stdout.trim().split('\n').at(-1)!,
    () => 'unknown filesystem',
  )
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    filesystem,
  }
}
