from .cli.main import main

if __name__ == "__main__":  # a worker process that spawns imports this file again
    main()
