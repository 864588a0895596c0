import Foundation

/// The committed files that tests read, wherever the checkout lies.
public enum Fixtures {
    /// The folder of all fixtures.
    public static let path = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures").path

    /// The path of a fixture.
    public static func path(_ name: String) -> String { path + "/" + name }
}
