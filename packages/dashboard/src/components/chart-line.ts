/** One of the lines of a chart. */
export interface ChartLine {
  readonly label: string
  /** One for each time; null: not known. */
  readonly values: readonly (number | null)[]
  /** They differ in shape as well as in colour. */
  readonly form: 'bars' | 'steps' | 'line'
}
