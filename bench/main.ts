/** `npm run bench -- WHAT …`: one module per thing that is measured. */
const benches: Readonly<Record<string, () => Promise<(args: readonly string[]) => Promise<number>>>> = {
  catalogue: async () => (await import('./catalogue.ts')).benchCatalogue,
  dashboard: async () => (await import('./dashboard.ts')).benchDashboard,
  get: async () => (await import('./get.ts')).benchGet,
  pipeline: async () => (await import('./pipeline.ts')).benchPipeline,
  librarian: async () => (await import('./librarian.ts')).benchLibrarian,
}

const [what = '', ...args] = process.argv.slice(2)
const load = benches[what]

if (load) {
  const bench = await load()
  process.exitCode = await bench(args).catch(error => {
    console.error(`bench: ${error.message}`)
    return 1
  })
} else {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join('|')} [options]; see npm run bench -- get --help`)
  process.exitCode = 2
}
