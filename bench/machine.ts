/** Figures of one machine say nothing about those of another. */
import { cpus, release, totalmem } from 'node:os'

export function machine() {
  const processors = cpus()
  return {
    processors: processors.length,
    model: processors[0]?.model,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
  }
}
