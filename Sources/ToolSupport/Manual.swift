/// What the manuals of all stages say alike, at the end of their discussion.
public enum Manual {
    /// How a stage ends.
    public static let exitStatus = """
        EXIT STATUS:
          0    Done.
          1    Failed, with the reason in one line on stderr; what was finished stays.
          64   Wrong usage.
          130  Interrupted; 143 terminated.
        """
}
