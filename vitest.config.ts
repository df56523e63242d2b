import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'packages/dashboard/src/**/*.test.tsx',
      'e2e/program/**/*.test.ts',
      'e2e/deploy/**/*.test.ts',
      'examples/**/*.test.ts',
    ],
    globalSetup: ['e2e/test-run/whole-run.ts'],
    setupFiles: ['e2e/test-run/each-file.ts'],
    pool: 'forks',
    // The default leaves one core to the runner, which is half of a machine with two; most files wait for disks and sockets.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: 30_000,
  },
})
