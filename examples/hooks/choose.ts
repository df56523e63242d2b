import type { Hooks } from '@arriero/transfer'

/** Leaves previews out, puts tables into a directory of their own, and begins with calibrations. */
const choose: Hooks = {
  onFile({ path = '', size = 0 }) {
    if (path.endsWith('.preview.png') || size > 100e9) return 'skip'
    if (path.endsWith('.csv')) return { rename: `tables/${path}` }
    if (path.startsWith('calibration')) return { priority: -1 }
    return 'keep'
  },
}

export default choose
