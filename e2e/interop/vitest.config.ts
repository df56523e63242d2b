import { defineConfig } from 'vitest/config'

/** The contract suites of sources against real servers; run by `npm run test:interop`. */
export default defineConfig({
  resolve: { conditions: ['source'] },
  test: { include: ['e2e/interop/suites/**/*.suite.ts'], testTimeout: 60_000, hookTimeout: 120_000 },
})
