import type { BenchRecord, ConfigurationRecord } from '../src/bench/record.ts'

/** A run that was right, with what a test cares about put in. */
export function benchRecord(wallSeconds: number, more: Partial<BenchRecord> = {}): BenchRecord {
  const bytes = more.bytes ?? 1e9
  return {
    tool: 'arriero',
    version: '1.2.3',
    command: 'arriero bench-run',
    machine: { cpu: 'c', cores: 2, memory_bytes: 2 ** 33, kernel: 'Linux 6', filesystem: 'ext4' },
    node: 'v24.0.0',
    scenario: 'plain',
    configuration: null,
    round: 1,
    bytes,
    files: 1,
    wall_seconds: wallSeconds,
    effective_gbit_per_second: (bytes * 8) / wallSeconds / 1e9,
    user_cpu_seconds: 0.5,
    system_cpu_seconds: 0.25,
    cpu_seconds_per_gb: 0.75,
    peak_resident_bytes: 2 ** 27,
    peak_connections: 4,
    retries: 0,
    hedged_bytes: 0,
    verify_seconds: 0,
    files_before: 0,
    files_after: 1,
    is_right: true,
    problem: null,
    ...more,
  }
}

/** Runs of one configuration, one for each time. */
export function runsOf(
  configuration: Partial<ConfigurationRecord> & { readonly name: string },
  wallSeconds: readonly number[],
  more: Partial<BenchRecord> = {},
): BenchRecord[] {
  const whole = { connections: null, part_size: null, threads: null, args: [], ...configuration }
  return wallSeconds.map((seconds, index) => benchRecord(seconds, { configuration: whole, round: index + 1, ...more }))
}
