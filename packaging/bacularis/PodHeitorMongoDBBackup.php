<?php
// SPDX-License-Identifier: AGPL-3.0-only

namespace Bacularis\Common\Plugins;

use Bacularis\Common\Modules\BacularisCommonPluginBase;
use Bacularis\Common\Modules\IBaculaBackupFileDaemonPlugin;
use Bacularis\Common\Modules\Plugins;

/**
 * Lets Bacularis write the plugin command of PodHeitor MongoDB into FileSets. Backup and restore are the File Daemon's plugin's own work.
 */
class PodHeitorMongoDBBackup extends BacularisCommonPluginBase implements IBaculaBackupFileDaemonPlugin
{
	private const VERSION = '0.1.0';

	/** What the File Daemon's plugin is called. */
	private const PLUGIN = 'podheitor-mongodb';

	private const RESTORE_CATEGORIES = ['Backup and restore', 'Restore'];

	public static function getName(): string
	{
		return 'MongoDB backup (PodHeitor)';
	}

	public static function getVersion(): string
	{
		return self::VERSION;
	}

	public static function getType(): string
	{
		return 'backup';
	}

	public static function getParameters(): array
	{
		return [
			// begin: written by deno task docs from the table of options
			['name' => 'uri', 'type' => 'string', 'default' => '', 'label' => 'MongoDB connection string (uri)', 'category' => ['Connection']],
			['name' => 'uri_file', 'type' => 'string', 'default' => '', 'label' => 'File that holds the connection string, readable by its owner only (uri_file)', 'category' => ['Connection']],
			['name' => 'password_file', 'type' => 'string', 'default' => '', 'label' => 'File that holds the password of the user named in the connection string, readable by its owner only (password_file)', 'category' => ['Connection']],
			['name' => 'database', 'type' => 'string', 'default' => '*', 'label' => 'Databases to back up, separated by commas (database)', 'category' => ['Backup']],
			['name' => 'resource', 'type' => 'string', 'default' => '', 'label' => 'Name of this source in virtual file names and sidecars (resource)', 'category' => ['Backup']],
			['name' => 'parallel_dbs', 'type' => 'integer', 'default' => 4, 'label' => 'Databases that are read at the same time, at most (parallel_dbs)', 'category' => ['Backup']],
			['name' => 'parallel_collections', 'type' => 'integer', 'default' => 4, 'label' => 'Collections of one database that are read at the same time, at most (parallel_collections)', 'category' => ['Backup']],
			['name' => 'parallel_chunks', 'type' => 'integer', 'default' => 4, 'label' => 'Readers of one large collection at the same time, at most (parallel_chunks)', 'category' => ['Backup']],
			['name' => 'parallel_readers', 'type' => 'integer', 'default' => 0, 'label' => 'Readers over all databases and collections (parallel_readers)', 'category' => ['Backup']],
			['name' => 'chunk_threshold', 'type' => 'string', 'default' => '1024M', 'label' => 'Size of documents from which a collection is cut into ranges of _id for several readers (chunk_threshold)', 'category' => ['Backup']],
			['name' => 'chunks', 'type' => 'integer', 'default' => 16, 'label' => 'Ranges that such a collection is cut into (chunks)', 'category' => ['Backup']],
			['name' => 'max_rate', 'type' => 'string', 'default' => '0M', 'label' => 'Bytes of documents that all readers together read in a second, at most (max_rate)', 'category' => ['Backup']],
			['name' => 'max_lag', 'type' => 'integer', 'default' => 0, 'label' => 'Seconds that the secondary may be behind its primary (max_lag)', 'category' => ['Backup']],
			['name' => 'segment_size', 'type' => 'string', 'default' => '16M', 'label' => 'Size at which a collection\'s documents are cut into another virtual file (segment_size)', 'category' => ['Backup']],
			['name' => 'verify', 'type' => 'array', 'default' => 'yes', 'data' => ['yes', 'no'], 'label' => 'Whether documents read are held against the server\'s own count (verify)', 'category' => ['Backup']],
			['name' => 'verify_digests', 'type' => 'boolean', 'default' => false, 'label' => 'Whether a Full reads every collection a second time, and compares digests of those that were not written to meanwhile (verify_digests)', 'category' => ['Backup']],
			['name' => 'sign', 'type' => 'array', 'default' => 'yes', 'data' => ['yes', 'no'], 'label' => 'Whether the manifest is signed (sign)', 'category' => ['Backup']],
			['name' => 'readPreference', 'type' => 'array', 'default' => '', 'data' => ['', 'secondaryPreferred', 'secondary', 'primaryPreferred', 'primary', 'nearest'], 'label' => 'Which members a backup may read (readPreference)', 'category' => ['Member to read']],
			['name' => 'tags', 'type' => 'string', 'default' => '', 'label' => 'Tags that a secondary must have to be read, name:value separated by commas (tags)', 'category' => ['Member to read']],
			['name' => 'maxStalenessSeconds', 'type' => 'integer', 'default' => 0, 'label' => 'Seconds that a secondary may be behind and still be read (maxStalenessSeconds)', 'category' => ['Member to read']],
			['name' => 'source', 'type' => 'string', 'default' => '', 'label' => 'The one member to read, as the set\'s configuration names it (source)', 'category' => ['Member to read']],
			['name' => 'avoid', 'type' => 'string', 'default' => '', 'label' => 'Members that are never read, separated by commas (avoid)', 'category' => ['Member to read']],
			['name' => 'max_source_absence', 'type' => 'integer', 'default' => 60, 'label' => 'Seconds that a Full waits for its member where that goes away, so that it can read on when it is back (max_source_absence)', 'category' => ['Member to read']],
			['name' => 'max_source_lag', 'type' => 'integer', 'default' => 300, 'label' => 'Seconds that a member may be behind the primary and still be chosen when a job begins (max_source_lag)', 'category' => ['Member to read']],
			['name' => 'include', 'type' => 'string', 'default' => '', 'label' => 'Collections to back up or to restore, as patterns separated by commas (include)', 'category' => ['Backup and restore']],
			['name' => 'exclude', 'type' => 'string', 'default' => '', 'label' => 'Collections to leave out of a backup or a restore, as patterns like those of include, which they come before (exclude)', 'category' => ['Backup and restore']],
			['name' => 'users', 'type' => 'array', 'default' => 'auto', 'data' => ['auto', 'yes', 'no'], 'label' => 'Whether users and roles go along (users)', 'category' => ['Backup and restore']],
			['name' => 'mode', 'type' => 'array', 'default' => 'dump', 'data' => ['dump'], 'label' => 'How the data is read (mode)', 'category' => ['Backup and restore']],
			['name' => 'engine', 'type' => 'array', 'default' => 'native', 'data' => ['native', 'mongodump'], 'label' => 'Who reads a Full\'s documents and inserts a restore\'s (engine)', 'category' => ['Backup and restore']],
			['name' => 'index_build', 'type' => 'array', 'default' => 'after', 'data' => ['after', 'none'], 'label' => 'When a restore into a server builds the indexes (index_build)', 'category' => ['Restore']],
			['name' => 'parallel_indexes', 'type' => 'integer', 'default' => 2, 'label' => 'Collections whose indexes a restore builds at the same time (parallel_indexes)', 'category' => ['Restore']],
			['name' => 'write_concern', 'type' => 'string', 'default' => 'majority', 'label' => 'How many members of the set must have each write of a restore (write_concern)', 'category' => ['Restore']],
			['name' => 'parallel_restore', 'type' => 'integer', 'default' => 4, 'label' => 'Segments that a restore writes at the same time, of all collections together (parallel_restore)', 'category' => ['Restore']],
			// end
		];
	}

	public static function getRestoreParameterCategories(): array
	{
		return self::RESTORE_CATEGORIES;
	}

	public function initialize(array $args): void
	{
	}

	/**
	 * What Bacularis puts into a FileSet, behind the sign for a program that the File Daemon runs: one that prints the plugin command. So Bacularis
	 * need not be on the File Daemon's machine.
	 */
	public function getPluginCommand(string $action, array $params, bool $runs_on_client = false, bool $encode_params = true): array
	{
		return ['/bin/echo', '"' . $this->writeCommand($params) . '"'];
	}

	/** The plugin commands that `plugin command/list` prints, which is one. */
	public function getPluginCommands(array $args): array
	{
		return [$this->writeCommand($args)];
	}

	public function doBackup(array $args): bool
	{
		return $this->refuse('backup');
	}

	public function doRestore(array $args): bool
	{
		return $this->refuse('restore');
	}

	private function refuse(string $action): bool
	{
		Plugins::log(Plugins::LOG_ERROR, "The {$action} is done by the File Daemon's plugin " . self::PLUGIN . ', not by Bacularis.');
		return false;
	}

	/**
	 * Options that are set otherwise than they are by themselves. All others of the arguments are Bacularis's own.
	 *
	 * @throws \InvalidArgumentException for a value that can't be passed on as it is: an option that is lost could make a backup smaller
	 */
	private function writeCommand(array $args): string
	{
		$words = [self::PLUGIN . ':'];
		foreach (self::getParameters() as ['name' => $name, 'type' => $type, 'default' => $default]) {
			$value = $args[$name] ?? '';
			if ($type === 'boolean') {
				$value = in_array($value, [true, 1, '1', 'yes', 'true'], true) ? 'yes' : '';
			}
			$value = trim((string) $value);
			if ($value === '' || $value === (string) $default) {
				continue;
			}
			$words[] = $name . '=' . $this->quote($name, $value);
		}
		return implode(' ', $words);
	}

	/** The command goes through Bacula's own splitting of words, in double quotes. */
	private function quote(string $name, string $value): string
	{
		if (preg_match('/["\\\\\x00-\x1f]/', $value) === 1 || preg_match('/ .*\'|\'.* |^\'/', $value) === 1) {
			throw new \InvalidArgumentException("The value of {$name} has a quote, a backslash or a control character: write the Plugin line of the FileSet by hand");
		}
		return strpos($value, ' ') === false ? $value : "'{$value}'";
	}
}
