/* SPDX-License-Identifier: MIT */
/*
 * desktop.cpp - an ordinary Qt 5 or Qt 6 desktop program in small: a window that is drawn, threads with event loops, a pool,
 * futures, locks and wait conditions, a child process, a local socket. Prints what it computed. Argument: amount of work.
 */
#include <QApplication>
#include <QCryptographicHash>
#include <QElapsedTimer>
#include <QImage>
#include <QLocalServer>
#include <QLocalSocket>
#include <QMutex>
#include <QPainter>
#include <QPlainTextEdit>
#include <QProcess>
#include <QQueue>
#include <QReadWriteLock>
#include <QRecursiveMutex>
#include <QRunnable>
#include <QSemaphore>
#include <QThread>
#include <QThreadPool>
#include <QTimer>
#include <QVBoxLayout>
#include <QWaitCondition>
#include <QtConcurrent>
#include <cstdio>

static QString hash(const QImage &image)
{
	QCryptographicHash h(QCryptographicHash::Sha1);

	h.addData(QByteArray(reinterpret_cast<const char *>(image.constBits()),
			     int(image.sizeInBytes())));
	return QString::fromLatin1(h.result().toHex());
}

/* A bounded queue between threads. */
class Channel
{
      public:
	void put(int n)
	{
		QMutexLocker locker(&mutex);

		while (items.size() >= 4)
			room.wait(&mutex);
		items.enqueue(n);
		filled.wakeOne();
	}
	int take()
	{
		QMutexLocker locker(&mutex);

		while (items.isEmpty())
			filled.wait(&mutex);
		room.wakeOne();
		return items.dequeue();
	}

      private:
	QMutex mutex;
	QWaitCondition room, filled;
	QQueue<int> items;
};

static qint64 channels(int work)
{
	Channel channel;
	qint64 sum = 0;
	QThread *producer = QThread::create([&] {
		for (int n = 1; n <= work; n++)
			channel.put(n);
		channel.put(0);
	});

	producer->start();
	while (int n = channel.take())
		sum += n;
	producer->wait();
	delete producer;
	return sum;
}

static qint64 square(const int &n)
{
	return qint64(n) * n;
}

static void add(qint64 &sum, const qint64 &n)
{
	sum += n;
}

static qint64 pools(int work)
{
	QReadWriteLock lock;
	QRecursiveMutex recursive;
	QSemaphore done;
	qint64 total = 0, shared = 0;
	QList<int> numbers;
	QThreadPool pool;

	pool.setMaxThreadCount(3);
	for (int i = 0; i < work; i++) {
		numbers.append(i);
		pool.start(QRunnable::create([&, i] {
			if (i % 4) {
				QReadLocker reader(&lock);
				if (shared < 0)
					abort();
			} else {
				QWriteLocker writer(&lock);
				shared++;
			}
			recursive.lock();
			recursive.lock();
			total += i;
			recursive.unlock();
			recursive.unlock();
			done.release();
		}));
	}
	done.acquire(work);
	pool.waitForDone();
	return total + shared + QtConcurrent::blockingMappedReduced<qint64>(numbers, square, add);
}

static QByteArray sockets()
{
	QLocalServer server;
	QByteArray got;
	QString name = QStringLiteral("%1/socket").arg(qEnvironmentVariable("PWD"));

	if (!server.listen(name))
		return server.errorString().toUtf8();
	QThread *client = QThread::create([&] {
		QLocalSocket s;

		s.connectToServer(name);
		s.waitForConnected(10000);
		s.write("hello");
		s.waitForBytesWritten(10000);
		s.disconnectFromServer();
	});
	client->start();
	server.waitForNewConnection(10000);
	if (QLocalSocket *s = server.nextPendingConnection()) {
		while (s->waitForReadyRead(10000))
			got += s->readAll();
		got += s->readAll();
		delete s;
	}
	client->wait();
	delete client;
	return got;
}

int main(int argc, char **argv)
{
	QApplication app(argc, argv);
	int work = argc > 1 ? atoi(argv[1]) : 100;
	QWidget window;
	QVBoxLayout layout(&window);
	QPlainTextEdit edit;
	QObject *beside = new QObject;
	QThread loop;
	QProcess process;
	int ticks = 0;

	layout.addWidget(&edit);
	edit.setCursorWidth(0);
	window.resize(320, 200);
	window.show();
	beside->moveToThread(&loop);
	loop.start();
	for (int i = 0; i < work; i++)
		QMetaObject::invokeMethod(
			beside,
			[&edit, i] {
				QMetaObject::invokeMethod(
					&edit,
					[&edit, i] { edit.appendPlainText(QString::number(i)); },
					Qt::QueuedConnection);
			},
			Qt::QueuedConnection);
	QTimer::singleShot(0, [&] {
		process.start(QStringLiteral("/bin/echo"), { QStringLiteral("child") });
	});
	QTimer timer;
	QObject::connect(&timer, &QTimer::timeout, [&] {
		if (++ticks >= 5 && edit.blockCount() >= work &&
		    process.state() == QProcess::NotRunning)
			app.quit();
	});
	timer.start(10);
	app.exec();
	QMetaObject::invokeMethod(
		beside, [] {}, Qt::BlockingQueuedConnection);
	beside->deleteLater();
	loop.quit();
	loop.wait();
	QImage image(320, 200, QImage::Format_RGB32);
	image.fill(Qt::white);
	{
		QPainter painter(&image);
		painter.drawEllipse(10, 10, 100, 50);
	}
	printf("%d lines, %s", edit.blockCount(), process.readAllStandardOutput().constData());
	printf("%lld %lld %s %s\n", channels(work), pools(work), sockets().constData(),
	       qPrintable(hash(image)));
	return 0;
}
