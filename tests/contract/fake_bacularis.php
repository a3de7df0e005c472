<?php
// In Bacularis's place: the signatures that it publishes for a backup plugin of the File Daemon, and none of its code. Prints, for each set of
// parameters on standard input, what the plugin's class answers.

namespace Bacularis\Common\Modules {
	interface IBacularisPlugin
	{
		public static function getName(): string;

		public static function getVersion(): string;

		public static function getType(): string;

		public static function getParameters(): array;
	}

	interface IBaculaBackupPlugin extends IBacularisPlugin
	{
		public function initialize(array $args): void;

		public function doBackup(array $args): bool;

		public function doRestore(array $args): bool;

		public function getPluginCommand(string $action, array $params): array;

		public function getPluginCommands(array $args): array;

		public static function getRestoreParameterCategories(): array;
	}

	interface IBaculaBackupFileDaemonPlugin extends IBaculaBackupPlugin
	{
	}

	abstract class BacularisCommonPluginBase
	{
		public function __construct(array $config = [])
		{
		}

		public function getPluginCommand(string $action, array $params, bool $runs_on_client = false, bool $encode_params = true): array
		{
			return [];
		}

		public static function getParameters(): array
		{
			return [];
		}
	}

	class Plugins
	{
		public const LOG_ERROR = 2;

		public static $said = [];

		public static function log(string $category, string $msg, int $dest = 1): void
		{
			self::$said[] = $msg;
		}
	}
}

namespace {
	require $argv[1];
	$class = 'Bacularis\Common\Plugins\PodHeitorMongoDBBackup';
	$plugin = new $class();
	$answers = [];
	foreach (json_decode(stream_get_contents(STDIN), true) as $parameters) {
		$plugin->initialize($parameters);
		try {
			$answers[] = [
				'line' => implode(' ', $plugin->getPluginCommand('command/list', $parameters)),
				'commands' => $plugin->getPluginCommands($parameters)
			];
		} catch (InvalidArgumentException $refused) {
			$answers[] = ['refused' => $refused->getMessage()];
		}
	}
	$done = [$plugin->doBackup([]), $plugin->doRestore([])];
	echo json_encode([
		'about' => [$class::getName(), $class::getVersion(), $class::getType()],
		'parameters' => $class::getParameters(),
		'restore' => $class::getRestoreParameterCategories(),
		'answers' => $answers,
		'done' => $done,
		'said' => Bacularis\Common\Modules\Plugins::$said
	]);
}
