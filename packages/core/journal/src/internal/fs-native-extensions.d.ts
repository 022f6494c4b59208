declare module 'fs-native-extensions' {
  const extensions: {
    /** An exclusive lock on an open file, which must be open for writing. @returns false when somebody else has it */
    tryLock(fd: number): boolean;
  };
  export default extensions;
}
