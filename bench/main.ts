/** `npm run bench -- WHAT …`: one module per thing that is measured. */
const [what, ...args] = process.argv.slice(2)

if (what === 'get') {
  const { benchGet } = await import('./get.ts')
  process.exitCode = await benchGet(args).catch(error => {
    console.error(`bench: ${error.message}`)
    return 1
  })
} else {
  console.error('usage: npm run bench -- get [options]; see npm run bench -- get --help')
  process.exitCode = 2
}
