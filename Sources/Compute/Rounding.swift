extension Int {
    /// The smallest multiple of `step` that is not less.
    package func roundedUp(to step: Int) -> Int { (self + step - 1) / step * step }
}
