export {
  crashStates,
  type CrashStatesOptions,
  type DiskCall,
  type DiskCapture,
  type Fault,
  SimDisk,
} from './sim-disk.js';
