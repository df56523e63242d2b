import { listEach, pipeline } from '@arriero/transfer'

export default pipeline(() => listEach('readings/*.csv'))
  .fetch()
  .map(({ bytes }) => inCelsius(Buffer.from(bytes).toString()))
  .write((_, { item }) => item.path, { directory: 'celsius' })

function inCelsius(csv: string): string {
  const rows = csv.trimEnd().split('\n').slice(1)
  const converted = rows.map(row => {
    const [second, kelvin] = row.split(',')
    return `${second},${(Number(kelvin) - 273.15).toFixed(2)}`
  })
  return `second,celsius\n${converted.join('\n')}\n`
}
