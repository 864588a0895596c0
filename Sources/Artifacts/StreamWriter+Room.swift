import Foundation
import Tensors

extension StreamWriter {
    /// Blocks of a stream that its readers may hold on to, besides those that its writer's restart needs.
    private static let heldByReaders = 32

    /// Throws `ArtifactError` unless a stream of at most `limit` blocks can grow: restarts of its writer and its readers keep
    /// some of them.
    public func checkRoom(for limit: Int) throws {
        let restart = description.restart.map { $0.first + $0.last } ?? 0
        let least = restart + Self.heldByReaders
        guard limit >= least else {
            throw ArtifactError(
                "write", folder.path,
                "at most \(limit) blocks are too few, restarts and readers keep up to \(least)")
        }
    }

    /// Waits while `limit` blocks or more are on the disk, until readers that consume them have deleted some; calls
    /// `waiting` now and then, which may throw to give up.
    ///
    /// Like a full pipe without a reader, it waits for one to come. Throws `SystemError`.
    public func awaitRoom(for limit: Int, waiting: () throws -> Void) throws {
        let pause = 0.02
        while try folder.blocks().count >= limit {
            try waiting()
            Thread.sleep(forTimeInterval: pause)
        }
    }
}
