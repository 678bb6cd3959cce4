export { simulate } from './simulate.ts';
export { DEFAULT_CONSENT, DEFAULT_FAULTS, NO_FAULTS, PLANTED_KINDS, PLANTED_PLACES } from './types.ts';
export type {
  ConsentShares,
  Faults,
  PlantedKind,
  PlantedPlace,
  PlantedString,
  SimulatedRecord,
  SimulationOptions,
} from './types.ts';
